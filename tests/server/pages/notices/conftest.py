from tests.server.notices.conftest import by_mail, counter, mail_server, make
from tests.support.one_database import on_postgresql as databases

__all__ = ["by_mail", "counter", "databases", "mail_server", "make"]
