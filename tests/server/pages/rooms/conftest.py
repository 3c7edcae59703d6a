"""The spine's fixtures, and a browser."""

from tests.support.browser import browser, page
from tests.support.spine import broker, house  # noqa: F401  # pytest finds fixtures by name

__all__ = ["browser", "page"]
