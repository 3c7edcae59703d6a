import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from carrel.web import i18n
from carrel.web.i18n import Words
from server.catalogue.policy import BY_HAND
from server.lending.names import Names
from server.lending.policy import LibraryPolicy
from server.pages.audit import words
from server.pages.audit.words import SENTENCES

SERVER = Path(words.__file__).parents[2]
RECORDED = re.compile(
    r'(?:action(?: = |=)|tell\(counter, |_audit\(session, (?:by, )?|_record\(session, )"([a-z_]+\.[a-z_]+)"'
)
CALLED = Names(LibraryPolicy(), "en", {"adult": "Adult"})
NAMES = {"user:mei": "Mei Lin", "account:7": "Mei Lin"}


@pytest.fixture
def english():
    return Words("en", ZoneInfo("Asia/Shanghai"), i18n.load("en"))


def recorded() -> set[str]:
    """Every action that the server's code records under a fixed name."""
    sources = [file.read_text(encoding="utf-8") for file in SERVER.rglob("*.py")]
    return {action for source in sources for action in RECORDED.findall(source)}


def test_every_action_that_the_server_records_has_words():
    found = recorded()
    assert len(found) > 50
    assert found - set(SENTENCES) == set()
    assert {f"catalogue.item_{trigger.value}" for trigger in BY_HAND} <= set(SENTENCES)


def test_what_has_no_words_is_told_by_its_own_name(english):
    assert words.sentence(english, "loan.checkout") == "Item lent"
    assert words.sentence(english, "future.thing") == "future.thing"


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        ("user:mei", "Mei Lin"),
        ("account:7", "Mei Lin"),
        ("user:gone", "Account gone"),
        ("nightly", "The night's work"),
        ("sip2:lobby", "Terminal lobby"),
        ("patron:12", "Reader no. 12"),
        ("future:1", "future:1"),
        ("future", "future"),
        ("patron:", "patron:"),
    ],
)
def test_people_and_things_are_told_in_words_where_they_have_some(english, subject, told):
    assert words.thing(english, subject, NAMES) == told


def test_only_what_has_a_page_is_linked():
    assert words.place("patron:12") == "/patrons/12"
    assert words.place("loan:12") is None
    assert words.place("patron:") is None


def test_details_are_read_as_people_write_them(english):
    detail = '{"disabled":true,"role":"duty_staff","fields":["name","email"],"x":null,"amount":"3.50","days":[1,{}]}'
    assert words.details(english, "account.change", detail, CALLED) == [
        ("Ended", "yes"), ("Role", "Duty staff"), ("Fields", "name, email"), ("x", "–"), ("Amount", "3.50"),
        ("days", "[1, {}]"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ('{"read":4,"new":2}', [("Records read", "4"), ("New", "2")]),
        ('{"closed_weekdays_by_branch":{"main":["sun"]}}', [("Closed every week, by branch", "Main library: Sun")]),
        ('{"closed_dates_by_branch":{}}', [("Closed on dates, by branch", "–")]),
        ('{"from":"on_shelf","to":"repair"}', [("From", "On the shelf"), ("To", "Being repaired")]),
        ('{"kind":"fault"}', [("Kind", "Something is broken")]),
        ('{"state":"ordered"}', [("State", "ordered")]),
        ('{"payment_id":"k1-7"}', [("Payment", "k1-7")]),
        (
            '{"removed":[],"added":[{"patron_class":"adult","days":30,"renewals":2,"cap":"9.50","max":null}]}',
            [("Removed", "–"), ("Added", "Adult, all items, all branches: 30 days, Renewals: 2, Highest fee: 9.50")],
        ),
    ],
)
def test_codes_of_details_have_words(english, detail, told):
    assert words.details(english, "account.change", detail, CALLED) == told


@pytest.mark.parametrize(
    ("action", "detail", "told"),
    [
        ("lending.policy", '{"max_loans":[6,8]}', ("Loans at most", "from 6 to 8")),
        ("lending.policy", '{"max_loans":[6,null]}', ("Loans at most", "from 6 to not set")),
        ("lending.policy", '{"kiosk_pin":[false,true]}', ("Kiosks ask for the PIN", "from no to yes")),
        ("lending.policy", '{"branches":[[],["main","east"]]}', ("Branches", "from not set to Main library, east")),
        ("catalogue.item_update", '{"type":["book","vhs"]}', ("Type", "from Book to vhs")),
        (
            "lending.policy", '{"item_type_names":[{},{"vhs":{"en":"Video","zh":"录像"},"cd":{"en":"CD","zh":""}}]}',
            ("What types of items are called", "from not set to vhs: Video / 录像; cd: CD"),
        ),
        ("catalogue.item_update", '{"location":["","A 3"]}', ("Place", "from not set to A 3")),
        ("catalogue.item_update", '{"price":[null,3550]}', ("Price", "from not set to 35.50")),
    ],
)
def test_a_change_tells_what_was_before(english, action, detail, told):
    assert words.details(english, action, detail, CALLED) == [told]


@pytest.mark.parametrize("code", words.FAULTS)
def test_every_fault_of_the_chain_has_a_sentence(english, code):
    assert "%" not in words.fault(english, code, 2)
