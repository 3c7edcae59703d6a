from tests.support.one_database import on_postgresql as databases

__all__ = ["databases"]
