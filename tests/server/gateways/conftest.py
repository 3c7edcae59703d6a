"""The spine's fixtures."""

from tests.support.spine import broker, house  # noqa: F401  # pytest finds fixtures by name
