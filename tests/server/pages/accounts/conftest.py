from tests.support.one_database import databases

__all__ = ["databases"]
