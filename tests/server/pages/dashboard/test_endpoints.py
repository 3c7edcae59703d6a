import re

import pytest
from fastapi.testclient import TestClient

from server.pages.dashboard.views import CauseView, Refusal
from tests.support.pages_app import READER, STAFF, build
from tests.support.sample_building import FLOORS, SampleBuilding, fault, fire

HTMX = {"HX-Request": "true"}
OVERRIDE = "/rooms/reading-room/actuators/reading-curtain/override"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return build(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def building(app):
    app.state.building = SampleBuilding()
    return app.state.building


@pytest.fixture
def client(app, building):
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, headers={"Accept-Language": "en"})


@pytest.fixture
def librarian(client):
    client.post("/sign-in", data={"user": STAFF[0], "password": STAFF[1]})
    return client


@pytest.fixture
def reader(client):
    client.post("/sign-in", data={"user": READER[0], "password": READER[1]})
    return client


def test_anybody_sees_rooms_and_their_values_but_no_controls(client):
    page = client.get("/").text
    assert "Reading room" in page
    assert 'data-k="reading-room.temp" data-format="temp">24.3<' in page
    assert "Light 1,240 lx is above 1,000 lx" in page
    assert "Sign in to control" in page
    assert "<form" not in page.split("<main")[1]


def test_the_plan_of_a_floor_shows_each_place_where_it_is_with_its_values(client, building):
    assert 'class="plan"' not in client.get("/").text
    building.floors = FLOORS
    plan = client.get("/", headers={"Accept-Language": "zh-CN"}).text.split('class="plan"')[1].split("</ul>")[0]
    reading, stacks, hall = plan.split("<li ")[1:]
    assert 'class="place at-c1 at-r1 by-c2 by-r2"' in reading
    assert '<a href="/rooms/reading-room">阅览室</a>' in reading
    assert 'class="stat is-above" data-stat="reading-room.lux"' in reading
    assert 'data-k="stacks.temp" data-format="temp">19.1<' in stacks
    assert "at-c3 at-r2 by-c1 by-r1 is-plain" in hall
    assert "大厅与服务台" in hall
    assert "is-burning" not in plan
    causes = (CauseView("", "smoke", active=True, hangs="stacks"), CauseView("Attic", "flame", active=True))
    building.open_alarms = [fire(now=building.now, causes=causes)]
    changed = client.get("/fragments/floors", headers={"Accept-Language": "en"}).text
    assert 'data-live="alarms"' in changed
    beside = changed.split("<li ")[0]
    assert re.search(r'href="#alarm-fire-1">.*</a> Not on the plan: Flame detector \(Attic\)<', beside)
    reading, stacks, hall = changed.split("<li ")[1:]
    assert ["is-burning" in place for place in (reading, stacks, hall)] == [False, True, False]
    assert re.search(
        r'<a class="badge alarm" href="#alarm-fire-1">.*Fire alarm<span class="visually-hidden">: Stacks<', stacks
    )


def test_values_of_a_simulated_building_say_so_in_every_tile(client):
    assert client.get("/").text.count('class="simulated">simulated<') == 3


def test_the_page_subscribes_to_what_it_shows(client):
    assert 'data-sub="alarms health room:reading-room room:stacks room:out"' in client.get("/").text


def test_a_building_without_rooms_says_what_to_do(client, building, monkeypatch):
    monkeypatch.setattr("tests.support.sample_building.ROOMS", {})
    assert "No rooms yet" in client.get("/").text


def test_what_is_wrong_with_a_link_is_told_in_words_and_then_in_full(client, building):
    page = client.get("/fragments/health").text
    assert "It cannot be opened, or the connection broke." in page
    assert '<span lang="en">/dev/serial/by-id/feig: no such device</span>' in page


def test_a_gateway_that_is_away_makes_its_links_unknown(client, building):
    building.online = False
    page = client.get("/fragments/health").text
    assert "offline since" in page
    assert "unknown while the gateway is away" in page


@pytest.mark.parametrize("path", ["/", "/alarms", "/fragments/alarms"])
def test_nothing_is_called_quiet_while_a_gateway_is_away(client, building, path):
    assert "All quiet since" in client.get(path).text
    building.online = False
    page = client.get(path).text
    assert "All quiet" not in page
    assert "Nothing is heard from gateway gw-1." in page
    assert "fire panel goes on by itself" in page


def test_the_log_changes_with_the_alarms_above_it(client, building):
    building.open_alarms = [fire(now=building.now)]
    log = client.get("/fragments/alarms/log").text
    assert "Fire alarm: Whole building" in log
    assert f'data-live="alarms" data-rev="{building.rev}"' in log
    assert log.strip() in client.get("/alarms").text


def test_an_alarm_that_stands_is_shown_beside_the_warning_that_it_is_old(client, building):
    building.online = False
    building.open_alarms = [fire(now=building.now)]
    page = client.get("/fragments/alarms").text
    assert "Nothing is heard from gateway gw-1." in page
    assert "Fire alarm: Whole building" in page


def test_staff_see_how_the_day_goes_and_what_waits_for_them(librarian):
    day = librarian.get("/").text.split('class="today"')[1].split("</section>")[0]
    assert re.search(r"<li>\d+ items? lent</li>", day)
    assert re.search(r"<li>[1-9]\d* loans? (is|are) overdue</li>", day)
    assert '<a href="/worklists">0 things on the work lists</a>' in day
    reader = TestClient(librarian.app)
    reader.post("/sign-in", data={"user": READER[0], "password": READER[1]})
    (free,) = re.findall(r'href="(/titles/\d+)"', reader.get("/search?available=1&q=Aeneid").text)
    reader.post(f"{free}/holds", data={"request_id": "r-1"})
    assert "1 thing on the work lists" in librarian.get("/").text, "it is to be fetched from the shelf"


def test_readers_and_guests_do_not(client):
    assert 'class="today"' not in client.get("/").text


def test_a_librarian_takes_control_until_a_time(librarian, building):
    fragment = librarian.post(OVERRIDE, data={"value": "50", "minutes": "30"}, headers=HTMX)
    assert building.asked == [("override", "reading-curtain", 50.0, 1800, "librarian")]
    assert fragment.status_code == 200
    assert "By hand until" in fragment.text
    assert "<html" not in fragment.text


def test_without_scripts_the_page_comes_back(librarian, building):
    answer = librarian.post(
        OVERRIDE, data={"value": "50", "minutes": "30"}, headers={"Referer": "http://127.0.0.1/?a=b"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/?a=b")


def test_a_librarian_gives_control_back(librarian, building):
    librarian.post(OVERRIDE, data={"value": "50", "minutes": "30"}, headers=HTMX)
    fragment = librarian.post("/rooms/reading-room/overrides/o-reading-curtain/cancel", headers=HTMX)
    assert building.asked[-1] == ("cancel", "o-reading-curtain", "librarian")
    assert "By hand until" not in fragment.text


@pytest.mark.parametrize(("headers", "status"), [(HTMX, 200), ({}, 409)])
def test_a_refusal_is_told_in_words(librarian, building, headers, status):
    building.refuse = Refusal("gateway_offline")
    answer = librarian.post(OVERRIDE, data={"value": "50", "minutes": "30"}, headers=headers)
    assert answer.status_code == status
    assert answer.text.count("gateway does not answer") == 1


@pytest.mark.parametrize(
    "data", [{"value": "101", "minutes": "30"}, {"value": "x", "minutes": "30"}, {"value": "1", "minutes": "0"}, {}]
)
def test_a_form_that_was_tampered_with_is_refused(librarian, building, data):
    assert librarian.post(OVERRIDE, data=data).status_code == 422
    assert building.asked == []


@pytest.mark.parametrize("path", [OVERRIDE, "/alarms/fire-1/reset", "/rooms/stacks/overrides/o-1/cancel"])
def test_nobody_acts_without_signing_in(client, building, path):
    answer = client.post(path, data={"value": "1", "minutes": "30"}, headers={"Referer": "http://127.0.0.1/alarms"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/alarms&undone=1")
    by_script = client.post(path, data={"value": "1", "minutes": "30"}, headers=HTMX)
    assert by_script.headers["hx-redirect"].startswith("/sign-in")
    assert building.asked == []


def test_a_reader_may_look_but_not_act(reader, building):
    assert reader.get("/").status_code == 200
    assert reader.post(OVERRIDE, data={"value": "1", "minutes": "30"}).status_code == 403
    assert building.asked == []


def test_a_fire_is_the_first_thing_on_the_page(client, building):
    building.open_alarms = [fire(now=building.now)]
    page = client.get("/").text
    assert 'class="fire is-loud" id="alarm-fire-1" role="alert"' in page
    assert page.index("Fire alarm: Whole building") < page.index("Reading room")
    assert "Sign in to answer" in page


def test_an_alarm_is_acknowledged_silenced_and_reset(librarian, building):
    building.open_alarms = [fire(now=building.now)]
    fragment = librarian.post("/alarms/fire-1/acknowledge", headers=HTMX).text
    assert "acknowledged by Demo Librarian" in fragment
    fragment = librarian.post("/alarms/fire-1/silence", headers=HTMX).text
    assert "siren silenced" in fragment
    assert "/alarms/fire-1/silence" not in fragment
    building.refuse = Refusal("detector_active")
    fragment = librarian.post("/alarms/fire-1/reset", headers=HTMX).text
    assert "A detector is still active" in fragment
    assert [asked[0] for asked in building.asked] == ["acknowledge", "silence", "reset"]


def test_an_answer_that_no_alarm_has_is_refused(librarian, building):
    assert librarian.post("/alarms/fire-1/explode").status_code == 422


def test_the_log_lists_past_alarms_with_who_reset_them(client, building):
    building.open_alarms = [fault(now=building.now)]
    page = client.get("/alarms").text
    assert "Fault: io-1" in page
    assert "reset by Lin Yue" in page


def test_a_room_that_is_not_there_is_not_found(client):
    assert client.get("/fragments/rooms/attic/actuators").status_code == 404
    assert client.get("/fragments/rooms/stacks/actuators").status_code == 200


def test_chinese_pages_have_no_english_left(app, building):
    building.open_alarms = [fire(now=building.now, place="全馆"), fault(now=building.now)]
    chinese = TestClient(app, base_url="http://127.0.0.1", headers={"Accept-Language": "zh-CN"})
    for path in ("/", "/alarms", "/sign-in", "/search?q=红楼"):
        text = chinese.get(path).text
        for word in ("Overview", "Sign in", "Alarm", "Light", "Reading room", "just now", "Gateway "):
            assert f">{word}" not in text, (path, word)
