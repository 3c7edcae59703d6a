from tests.support.one_database import on_sqlite as databases

__all__ = ["databases"]
