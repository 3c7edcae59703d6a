import pytest
from fastapi.testclient import TestClient

from server.reports.service import Reports
from server.rooms.history import History
from server.rooms.picture import Picture
from server.rooms.plan import PresentPlan, read_plan
from server.settings import read_settings
from server.telemetry.database import DatabaseStore
from tests.support.library import ManualClock
from tests.support.pages_app import READER, STAFF, build


def reckoning(settings, database):
    """Reports of a library with this database."""
    picture = Picture()
    plan = PresentPlan(read_plan(settings), picture)
    return Reports(settings, plan, History(plan, picture, DatabaseStore(database)), ManualClock())


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The pages of a library that has measured nothing yet."""
    made = build(tmp_path_factory.mktemp("pages"))
    core = made.state.core
    made.state.reports = reckoning(core.settings, core.database)
    return made


@pytest.fixture
def client(app):
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, headers={"Accept-Language": "en"})


@pytest.fixture
def librarian(client):
    client.post("/sign-in", data={"user": STAFF[0], "password": STAFF[1]})
    return client


def test_nobody_is_asked_to_sign_in_first(client):
    answer = client.get("/reports")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/reports")


def test_readers_are_kept_out(client):
    client.post("/sign-in", data={"user": READER[0], "password": READER[1]})
    assert client.get("/reports", headers={"Accept": "text/html"}).status_code == 403
    assert "/reports" not in client.get("/").text


def test_a_library_without_history_is_told_so(librarian):
    page = librarian.get("/reports").text
    assert "Mar 2026" in page
    assert page.count("Nothing is known of this room in these two months.") == 2
    assert "no data" not in page, "a wall of empty rows says less"
    assert 'href="/reports?month=2026-02"' in page
    assert "Later" not in page
    assert 'href="/api/v1/reports/rooms.csv?month=2026-03&amp;excel=true"' in page


def test_a_month_and_a_room_can_be_chosen(librarian):
    page = librarian.get("/reports?month=2025-12&room=stacks").text
    assert 'id="report-stacks"' in page
    assert 'id="report-reading-room"' not in page
    assert 'href="/reports?month=2026-01&amp;room=stacks"' in page


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("month=2026-04", 422, "Choose a month that has begun."),
        ("month=%3Cb%3E", 422, "Choose a month that has begun."),
        ("room=cellar", 404, "There is no such room."),
    ],
)
def test_what_there_is_not_is_said_in_words(librarian, query, status, words):
    answer = librarian.get(f"/reports?{query}")
    assert answer.status_code == status
    assert words in answer.text
    assert "<b>" not in answer.text


def test_the_page_speaks_chinese(librarian):
    page = librarian.get("/reports?lang=zh-CN").text
    assert "月报" in page
    assert "没有本室的数据" in page


def test_what_config_toml_does_not_tell_is_asked_for(app, librarian, monkeypatch):
    core = app.state.core
    bare = core.settings.document.data | {
        "library": {"timezone": "Asia/Shanghai"},
        "room": [{"id": "stacks", "name": "Stacks"}],
        "floor": [],
        "environment": {},
    }
    settings = read_settings(type(core.settings.document)(core.settings.document.file, bare, ""))

    monkeypatch.setattr(app.state, "reports", reckoning(settings, core.database))
    page = librarian.get("/reports").text
    assert "Opening hours are not known" in page
    assert "This room has no targets" in page
    assert "No power is known" in page
