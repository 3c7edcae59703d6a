import pytest

from server.pages.reader.account_views import masked, masked_email, qr
from server.patrons import desk
from server.patrons import service as patrons
from tests.support.library import ALICE, NOW, PIN


@pytest.fixture
def known(database):
    """Gives Alice as the library knows her."""

    def read():
        with database.reading() as session:
            return patrons.find(session, ALICE)

    return read


def test_the_account_shows_the_card_as_a_code_and_hides_contact_details(alice, database, known):
    with database.writing() as session:
        told = {"email": "alice@readers.example", "phone": "13800000001"}
        desk.edit(session, known().id, told, actor="tests", at=NOW, today=NOW.date())
    page = alice.get("/my/account").text
    assert 'aria-label="QR code of your card number"' in page
    assert ALICE in page
    assert "a•••@readers.example" in page
    assert "138••••••01" in page
    assert "Valid until 1 Jan 2030" in page


def test_contact_details_are_changed(alice, known):
    page = alice.post("/my/account/contact", data={"email": "a@b.example", "phone": "010 555", "by_email": "1"}).text
    assert "Your contact details are saved." in page
    assert (known().email, known().phone, known().channels) == ("a@b.example", "010 555", ("email",))
    alice.post("/my/account/contact", data={"email": "a@b.example", "phone": ""})
    assert (known().phone, known().channels) == ("", ())


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"email": "no address"}, "email", "Write one address, such as name@example.org."),
        ({"phone": "call me"}, "phone", "Write digits;"),
        ({"by_email": "1"}, "email", "Please fill in the e-mail address first."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_saved(alice, known, form, field, words):
    before = known()
    answer = alice.post("/my/account/contact", data=form)
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in answer.text
    assert words in answer.text
    assert known() == before


def test_the_language_is_the_readers_from_now_on(alice, known):
    page = alice.post("/my/account/language", data={"language": "zh-CN"}).text
    assert 'lang="zh-CN"' in page
    assert known().language == "zh-CN"
    assert alice.post("/my/account/language", data={"language": "xx"}).status_code == 422


def test_the_library_remembers_what_was_read_only_when_asked_to(alice, known):
    assert "The library does not keep a list for you" in alice.get("/my/history").text
    assert "because you asked for it" in alice.post("/my/account/history", data={"keep": "1"}).text
    assert known().keeps_history
    assert "Nothing yet" in alice.get("/my/history").text
    alice.post("/my/account/history", data={"keep": "0"})
    assert not known().keeps_history


def test_a_new_pin_counts_at_once_and_ends_other_sessions(alice, client):
    old = alice.cookies["carrel_session"]
    data = {"present": PIN, "new": "739155", "again": "739155", "request_id": "once"}
    for _ in range(2):
        assert "The new PIN counts from now on." in alice.post("/my/account/pin", data=data).text
    alice.cookies.clear()
    assert client.get("/api/v1/session", headers={"Authorization": f"Bearer {old}"}).status_code == 401
    signed = client.post("/sign-in", data={"user": ALICE, "password": "739155"}, follow_redirects=False)
    assert signed.status_code == 303


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"present": PIN, "new": "739155", "again": "739156"}, "again", "This is not the same PIN as above."),
        ({"present": "9999", "new": "739155", "again": "739155"}, "present", "The PIN is wrong."),
        ({"present": PIN, "new": "12", "again": "12"}, "new", "A PIN has four to twelve digits."),
        ({"present": PIN, "new": "1234", "again": "1234"}, "new", "easy to guess"),
    ],
)
def test_a_pin_that_is_not_changed_says_why(alice, form, field, words):
    answer = alice.post("/my/account/pin", data=form)
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in answer.text
    assert words in answer.text
    assert "739155" not in answer.text


def test_details_are_hidden_but_for_their_ends():
    assert masked("13800000001", first=3, last=2) == "138••••••01"
    assert masked("12345", first=3, last=2) == "•••••"
    assert masked("", first=3, last=2) == ""
    assert masked_email("z@x.example") == "z•••@x.example"
    assert masked_email("") == ""


def test_a_qr_code_has_its_margin_and_three_corners():
    size, path = qr("90000001")
    assert size == 21 + 8
    for corner in ("M4 4h", "M24 4h", "M4 24h"):
        assert corner in path
