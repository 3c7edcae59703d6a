from zoneinfo import ZoneInfo

import pytest

from carrel.web import i18n
from carrel.web.i18n import Words
from server.auth.accounts import ROLES as STAFF
from server.auth.tokens import ROLES as MACHINES
from server.pages.accounts import words


@pytest.fixture
def english():
    return Words("en", ZoneInfo("Asia/Shanghai"), i18n.load("en"))


def test_every_role_has_words_and_nothing_else_is_offered():
    assert set(words.STAFF_ROLES) == set(words.STAFF_HINTS) == {role.value for role in STAFF}
    assert set(words.MACHINE_ROLES) == {role.value for role in MACHINES}


@pytest.mark.parametrize(
    ("name", "code", "sign"),
    [
        ("user", "malformed", "beginning with a letter"),
        ("user", "account_taken", "There is an account of this name."),
        ("password", "password_too_short", "eight characters"),
        ("until", "past", "This day is over."),
    ],
)
def test_a_field_says_what_is_wrong_with_it(english, name, code, sign):
    assert sign in words.error(english, name, code)
