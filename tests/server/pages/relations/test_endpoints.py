"""Feedback, suggestions and news as pages, without scripts."""

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from server.catalogue.models import RecordRow
from server.feedback import service as feedback
from server.lending.occasion import Occasion
from tests.support.pages_app import READER, STAFF, build

TOLD = {"kind": "fault", "text": "The lamp flickers.\n\n<b>Since</b> Monday.", "place": "table 4"}
NEWS = {
    "title_zh": "开放时间", "title_en": "Hours", "text_zh": "一。", "text_en": "One.\n\n<i>Two</i>.",
    "from_on": "2020-01-01", "until_on": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return build(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def visitor(app):
    """Makes browsers of visitors: nobody, or who signs in."""

    def come(who=None):
        client = TestClient(
            app, base_url="http://127.0.0.1", follow_redirects=True,
            headers={"Accept-Language": "en", "Accept": "text/html"},
        )  # fmt: skip
        if who:
            client.post("/sign-in", data={"user": who[0], "password": who[1]})
        return client

    return come


def number_in(page):
    return re.search(r"\d{4}-\d{4}", page.text)[0]


def test_somebody_unknown_is_told_the_number(visitor):
    nobody, staff = visitor(), visitor(STAFF)
    page = nobody.post("/feedback", data=TOLD | {"contact": "me@example.org"})
    assert "Your feedback has the number" in page.text
    assert "Your feedback</h2>" not in page.text
    case = staff.get(f"/relations/cases/{number_in(page)}").text
    assert "nobody known · me@example.org" in case
    assert "Send the answer to me@example.org yourself" in case
    assert "<p>The lamp flickers.</p><p>&lt;b&gt;Since&lt;/b&gt; Monday.</p>" in case


def test_a_number_in_the_address_says_nothing_but_a_number(visitor):
    page = visitor().get("/feedback", params={"sent": "call 555-0199"}).text
    assert "555" not in page[page.index("<main") :]


def test_a_reader_follows_a_case_to_its_end(visitor):
    reader, staff = visitor(READER), visitor(STAFF)
    number = number_in(reader.post("/feedback", data=TOLD))
    here = f"/relations/cases/{number}"
    assert number in staff.get("/relations").text
    assert "Saved." in staff.post(f"{here}/owner", data={"owner": STAFF[0]}).text
    assert number in staff.get("/relations?show=mine").text
    staff.post(f"{here}/notes", data={"text": "An old ballast."})
    staff.post(f"{here}/notes", data={"text": "A lamp is ordered.", "public": "true"})
    assert "answered" in staff.post(f"{here}/answer", data={"text": "It is replaced."}).text
    own = reader.get("/feedback").text
    assert "It is replaced." in own
    assert "A lamp is ordered." in own
    assert "An old ballast." not in own
    assert STAFF[0] not in own
    assert "Thank you for your opinion." in reader.post(f"/feedback/{number}/rating", data={"rating": "5"}).text
    assert "very well (5 of 5)" in staff.get(here).text
    again = reader.post(f"/feedback/{number}/reopen", data={"text": "It flickers again."})
    assert "The library looks at it again." in again.text
    refused = staff.post(f"{here}/close", data={"reason": ""})
    assert (refused.status_code, "Please say why." in refused.text) == (422, True)
    assert "Saved." in staff.post(f"{here}/close", data={"reason": "See the other case."}).text
    assert number in staff.get("/relations?show=closed").text


def test_a_form_that_comes_twice_is_carried_out_once(visitor):
    nobody, reader, staff = visitor(), visitor(READER), visitor(STAFF)

    def twice(who, address, **told):
        assert 'name="request_id"' in who.get(address.removesuffix("/notes")).text
        first, again = (who.post(address, data=told | {"request_id": address.replace("/", ":")}) for _ in range(2))
        assert (again.status_code, again.url) == (200, first.url)
        return again.text

    number = re.search(r"\d{4}-\d{4}", twice(nobody, "/feedback", **TOLD))[0]
    assert twice(staff, f"/relations/cases/{number}/notes", text="An odd ballast.").count("An odd ballast.") == 1
    assert "Your suggestion is on the list." in twice(reader, "/suggestions", title="Twice Told Tales")
    assert twice(staff, "/relations/news", **NEWS | {"title_en": "Told twice"}).count("Told twice") == 1
    key = re.search(r"/relations/news/(\d+)", staff.get("/relations/news").text)[1]
    staff.post(f"/relations/news/{key}/remove")


def test_a_form_that_is_not_filled_in_comes_back_as_it_was(visitor):
    page = visitor().post("/feedback", data=TOLD | {"kind": ""})
    assert page.status_code == 422
    assert "Please fill in the marked fields." in page.text
    assert "The lamp flickers." in page.text
    assert re.search(r'<select[^>]*id="kind"[^>]*aria-invalid="true"', page.text)


LONG = " and on" * 1000


def test_a_form_of_a_case_that_is_refused_is_the_only_one_that_shows_what_was_sent(visitor):
    reader, staff = visitor(READER), visitor(STAFF)
    here = f"/relations/cases/{number_in(reader.post('/feedback', data=TOLD))}"

    note = staff.post(f"{here}/notes", data={"text": "For us" + LONG, "public": "true"}).text
    fields = dict(re.findall(r'<textarea[^>]* id="([\w-]+)"[^>]*>([^<]*)<', note))
    assert (fields["answer"], fields["note"].startswith("For us")) == ("", True)
    assert re.search(r'id="note"[^>]* aria-invalid="true" aria-describedby="note-error"', note)
    assert note.count("<details open>") == 1
    assert 'value="true" checked' in note
    assert note.count("such as a tab") == 2, "above, and where it is to be put right"
    closed = staff.post(f"{here}/close", data={"reason": " "}).text
    assert re.findall(r'id="([\w-]+)"[^>]* aria-invalid', closed) == ["close"]
    staff.post(f"{here}/answer", data={"text": "Done."})
    number = here.rpartition("/")[2]
    again = reader.post(f"/feedback/{number}/reopen", data={"text": "Not yet" + LONG}).text
    assert re.search(rf'<details open>.*?id="open-{number}"[^>]* aria-invalid="true"[^>]*>Not yet', again, re.S)


def test_a_reader_whose_session_has_ended_signs_in_before_writing(visitor):
    reader = visitor(READER)
    (known,) = re.findall(r'name="known" value="(\w+)"', reader.get("/feedback").text)
    reader.cookies.clear()
    page = reader.post("/feedback", data=TOLD | {"known": known}, headers={"Referer": "http://127.0.0.1/feedback"})
    assert (page.url.path, page.url.params["next"]) == ("/sign-in", "/feedback")
    assert 'name="known"' not in reader.get("/feedback").text


def test_a_suggestion_from_an_empty_search_to_you_said_we_did(visitor, app):
    nobody, reader, staff = visitor(), visitor(READER), visitor(STAFF)
    assert 'href="/suggestions?title=Zyx+Wvu"' in nobody.get("/search?q=Zyx+Wvu").text.replace("%20", "+")
    assert "Sign in with your card" in nobody.get("/suggestions?title=Zyx").text
    assert 'value="Zyx Wvu"' in reader.get("/suggestions?title=Zyx Wvu").text
    wrong = reader.post("/suggestions", data={"title": "Zyx Wvu", "isbn": "9787536692931"})
    assert (wrong.status_code, "This is no ISBN" in wrong.text) == (422, True)
    made = reader.post("/suggestions", data={"title": "Zyx Wvu", "reason": "For class 4b."})
    assert "Your suggestion is on the list." in made.text
    gone = re.search(r"suggestion-(\d+)", made.text)[1]
    assert "Your vote was taken back." in reader.post(f"/suggestions/{gone}/unvote").text
    assert "Zyx Wvu" not in nobody.get("/suggestions").text
    made = reader.post("/suggestions", data={"title": "Zyx Wvu", "reason": "For class 4b."})
    key = re.search(r"suggestion-(\d+)", made.text)[1]
    assert "counted before" in reader.post(f"/suggestions/{key}/vote").text
    assert "class 4b" not in nobody.get("/suggestions").text

    assert "For class 4b." in staff.get(f"/relations/suggestions/{key}").text
    refused = staff.post(f"/relations/suggestions/{key}", data={"state": "declined"})
    assert (refused.status_code, "Please say why." in refused.text) == (422, True)
    staff.post(f"/relations/suggestions/{key}", data={"state": "ordered", "text": "Comes in May."})
    assert "Comes in May." in nobody.get("/suggestions").text
    staff.post(f"/relations/suggestions/{key}", data={"state": "arrived", "record_id": "1"})
    assert 'href="/titles/1"' in nobody.get("/suggestions").text
    with app.state.core.database.writing() as session:
        session.execute(update(RecordRow).where(RecordRow.id == 1).values(suppressed=True))
    assert "/titles/1" not in nobody.get("/suggestions").text, "a hidden title has no page for readers"
    late = reader.post("/suggestions", data={"title": "zyx wvu"})
    assert (late.status_code, "The library has this title already" in late.text) == (409, True)


def test_news_is_written_changed_and_removed(visitor):
    nobody, staff = visitor(), visitor(STAFF)
    assert "No news" in nobody.get("/news").text
    bad = staff.post("/relations/news", data=NEWS | {"until_on": "2019-01-01"})
    assert (bad.status_code, "The last day is before the first." in bad.text) == (422, True)
    assert re.findall(r'id="(\w+)"[^>]* aria-invalid="true"', bad.text) == ["until_on"]
    desk = staff.post("/relations/news", data=NEWS)
    key = re.search(r"/relations/news/(\d+)", desk.text)[1]
    shown = nobody.get("/news").text
    assert "<p>One.</p><p>&lt;i&gt;Two&lt;/i&gt;.</p>" in shown
    assert "开放时间" in nobody.get("/news?lang=zh-CN").text
    nobody.cookies.clear()
    assert 'value="Hours"' in staff.get(f"/relations/news/{key}").text
    staff.post(f"/relations/news/{key}", data=NEWS | {"title_en": "New hours"})
    assert "New hours" in nobody.get("/news").text
    assert "Removed." in staff.post(f"/relations/news/{key}/remove").text
    assert "No news" in nobody.get("/news").text


def test_what_is_overdue_stands_first_and_says_so(app, visitor):
    core = app.state.core
    now, zone = core.clock.now(), core.settings.common.library.zone
    fresh = number_in(visitor().post("/feedback", data=TOLD))
    with core.database.writing() as session:
        then = Occasion("anonymous", now - timedelta(days=40), zone)
        late = feedback.open_case(session, feedback.NewCase("complaint", "It was cold."), then, days=5).number
    staff = visitor(STAFF)
    page = staff.get("/relations").text
    assert page.index(late) < page.index(fresh)
    assert page.count("</svg>overdue</span>") == 1
    with core.database.writing() as session:
        assert feedback.escalate(session, now) == [late]
    assert "</svg>escalated</span>" in staff.get(f"/relations/cases/{late}").text


def test_two_write_news_anew_at_once(visitor):
    staff = visitor(STAFF)
    key = re.search(r"/relations/news/(\d+)", staff.post("/relations/news", data=NEWS).text)[1]
    address = f"/relations/news/{key}"

    def mark(page):
        return {"seen": re.search(r'name="seen" value="([^"]*)"', page)[1]}

    shown = NEWS | mark(staff.get(address).text)
    staff.post(address, data=shown | {"title_en": "New hours"})
    staff.post(address, data=shown | {"text_en": "Another."})
    page = staff.get(address).text
    assert 'value="New hours"' in page
    assert ">Another.</textarea>" in page
    bad = staff.post(address, data=shown | {"until_on": "2019-01-01"})
    assert (bad.status_code, mark(bad.text)) == (422, {"seen": shown["seen"]}), "raw fields keep the mark they had"
    late = staff.post(address, data=shown | {"title_en": "Late hours"})
    assert late.status_code == 409
    assert "somebody else has changed the same fields" in late.text
    assert 'value="Late hours"' in late.text
    assert 'value="New hours"' in staff.get(address).text
    staff.post(address, data=shown | {"title_en": "Late hours", "text_en": "Another."} | mark(late.text))
    assert 'value="Late hours"' in staff.get(address).text
    staff.post(f"{address}/remove")


@pytest.mark.parametrize("path", ["/relations/cases/1999-0001", "/relations/suggestions/9", "/relations/news/9"])
def test_what_there_is_not_is_a_page_too(visitor, path):
    assert visitor(STAFF).get(path).status_code == 404


def test_the_librarys_side_is_not_for_readers(visitor):
    assert visitor(READER).get("/relations").status_code == 403
    assert str(visitor().get("/relations").url).endswith("/sign-in?next=/relations")
    assert visitor(STAFF).post("/suggestions/1/vote").status_code == 403
