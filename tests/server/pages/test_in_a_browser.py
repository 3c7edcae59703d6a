import itertools
import json

import pytest
from playwright.sync_api import expect

from tests.support.browser import DESKTOP, PHONE, barriers, overflows, sign_in, visiting
from tests.support.pages_app import READER, STAFF
from tests.support.sample_building import FLOORS, SampleBuilding, fault, fire

pytestmark = pytest.mark.browser

KIB = 1024
COUNT_TONES = """
window.tones = 0;
window.OscillatorNode = class extends OscillatorNode { constructor(...of) { super(...of); window.tones += 1; } };
"""
KEEP_NOTHING = """
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("forbidden", "SecurityError"); } });
"""


@pytest.fixture
def building(site):
    site[0].state.building = SampleBuilding()
    return site[0].state.building


@pytest.fixture
def visit(browser, building):
    with visiting(browser) as opened:
        yield opened


LOOKS = list(itertools.product(["zh-CN", "en"], ["light", "dark"], [PHONE, DESKTOP]))


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS, ids=str)
def test_pages_for_everybody_have_no_barriers_in_any_look(visit, address, building, language, theme, size):
    page = visit(language, theme, size)
    building.open_alarms, building.floors = [fire(now=building.now), fault(now=building.now)], FLOORS
    for path in ("/", "/alarms", "/search?q=the", "/search?q=zzzz", "/sign-in"):
        page.goto(address + path)
        assert barriers(page) == [], path
        assert not overflows(page), path


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS[::3], ids=str)
def test_pages_for_people_who_signed_in_have_no_barriers(visit, address, building, language, theme, size):
    page = visit(language, theme, size)
    building.open_alarms = [fire(now=building.now)]
    sign_in(page, address, STAFF)
    page.locator("#actuator-reading-curtain summary").click()
    assert barriers(page) == []
    assert not overflows(page)
    other = visit(language, theme, size)
    sign_in(other, address, READER)
    other.wait_for_url("**/my/loans")
    assert barriers(other) == []
    assert not overflows(other)


def test_staff_see_a_fire_on_whatever_page_they_are_and_readers_do_not(visit, address, building):
    page, reader = visit(size=PHONE), visit()
    page.add_init_script(COUNT_TONES)
    sign_in(page, address, STAFF)
    page.goto(f"{address}/worklists")
    expect(page.locator("#alarm-bar[aria-live]")).to_be_empty()
    sound = page.locator("[data-alarm-sound]")
    expect(sound).to_have_accessible_name("Alarm sound is off")  # until somebody has touched the page
    page.locator("h1").click()
    expect(sound).to_have_accessible_name("Alarm sound is on")
    assert page.evaluate("tones") == 0
    building.open_alarms, building.rev = [fire(now=building.now), fault(now=building.now)], 2
    expect(page.locator("a.alarm-bar")).to_have_count(1)
    expect(page.locator("a.alarm-bar.critical")).to_contain_text("Fire alarm: ")
    page.wait_for_function("() => tones > 2")
    sound.click()
    expect(sound).to_have_accessible_name("Alarm sound is on")
    silent = page.evaluate("tones")
    assert barriers(page) == []
    assert not overflows(page)
    page.wait_for_timeout(2000)
    assert page.evaluate("tones") == silent
    page.locator("a.alarm-bar").click()
    page.locator("article.fire").get_by_role("button", name="Acknowledge").press("Enter")
    expect(page.locator("article.fire")).to_be_focused()  # the button is gone
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(page.locator("#alarm-bar")).to_have_count(0)
    sign_in(reader, address, READER)
    reader.wait_for_url("**/my/loans")
    expect(reader.locator("#alarm-bar")).to_have_count(0)


def test_a_browser_that_keeps_nothing_sounds_all_the_same(visit, address, building):
    page = visit()
    page.add_init_script(KEEP_NOTHING + COUNT_TONES)
    sign_in(page, address, STAFF)
    page.goto(f"{address}/desk")
    building.open_alarms = [fire(now=building.now)]
    building.rev += 1
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.press("Shift")
    page.wait_for_function("() => tones > 2")
    page.locator("[data-alarm-sound]").click()
    expect(page.locator("[data-alarm-sound]")).to_have_accessible_name("Alarm sound is on")


def test_what_was_typed_comes_back_to_the_same_person_when_the_session_had_ended(visit, address):
    page = visit()
    name, restored = page.get_by_label("Full name"), page.locator("[data-restored]")

    def begin(who, found):
        sign_in(page, address, who)
        page.goto(f"{address}/patrons/new")
        expect(name).to_have_value(found)

    def lose():
        page.get_by_label("Card number").fill("90000077")
        name.fill("Half Typed")
        page.get_by_label("Notices by e-mail").check()
        page.context.clear_cookies(name="carrel_session")
        page.get_by_role("button", name="Register").click()
        page.wait_for_url("**/sign-in?next=**")

    begin(STAFF, "")
    lose()
    begin(STAFF, "Half Typed")
    expect(page.get_by_label("Notices by e-mail")).to_be_checked()
    expect(restored).to_be_visible()
    assert barriers(page) == []
    page.reload()
    expect(name).to_have_value("")
    expect(restored).to_be_hidden()
    lose()
    sign_in(page, address, READER)
    begin(STAFF, "")
    lose()
    begin(STAFF, "Half Typed")
    page.get_by_role("button", name="Sign out").click()
    begin(STAFF, "")


def test_a_double_click_sends_a_form_once(visit, address):
    page, posts = visit(), []
    sign_in(page, address, STAFF)
    page.goto(f"{address}/relations/news")
    for label in ("Title in Chinese", "Title in English", "Text in Chinese", "Text in English"):
        page.get_by_label(label).fill("Hours")
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Save").dblclick()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    assert len(posts) == 1


def test_values_come_alive_and_lines_are_drawn(visit, address):
    page = visit()
    page.goto(address)
    expect(page.locator("html.is-live")).to_have_count(1)
    expect(page.locator("[data-spark='reading-room.temp'] .line")).to_have_count(1)
    shown = page.locator("[data-k='reading-room.temp']")
    first = shown.text_content()
    expect(shown).not_to_have_text(first, timeout=30_000)
    expect(page.locator("[data-age='reading-room.temp']")).to_have_text("just now")


def test_a_lost_connection_is_told_within_six_seconds_and_heals_by_itself(visit, address, building):
    page = visit()
    page.route_web_socket("**/live", lambda ws: ws.on_message(lambda _: None))  # takes everything, says nothing
    page.clock.install()
    page.goto(address)
    banner = page.locator("[data-stale-banner]")
    expect(banner).to_be_hidden()
    building.open_alarms = [fire(now=building.now)]
    page.clock.run_for(6100)
    expect(banner).to_be_visible()
    expect(page.locator("html.is-lost")).to_have_count(1)
    expect(page.locator("[role=alert] h2")).to_have_text("Fire alarm: Whole building")
    page.route_web_socket("**/live", lambda ws: ws.on_message(lambda _: ws.send(snapshot())))
    page.clock.run_for(3000)
    expect(banner).to_be_hidden()
    expect(page.locator("[data-k='reading-room.temp']")).to_have_text("17.0")


def test_a_gap_in_the_sequence_asks_for_everything_again(visit, address):
    page = visit()
    asked = []

    def server(ws):
        def answer(message):
            asked.append(json.loads(message))
            ws.send(snapshot())
            if len(asked) == 1:
                ws.send(json.dumps({"seq": 7, "now": 1, "patch": {}}))

        ws.on_message(answer)

    page.route_web_socket("**/live", server)
    page.goto(address)
    page.wait_for_function("() => document.querySelector(\"[data-k='reading-room.temp']\").textContent === '17.0'")
    page.wait_for_timeout(100)
    assert len(asked) == 2
    assert asked[0] == {"sub": ["alarms", "health", "room:reading-room", "room:stacks", "room:out"]}


def test_what_a_snapshot_lacks_becomes_a_dash(visit, address):
    page = visit()
    page.route_web_socket("**/live", lambda ws: ws.on_message(lambda _: ws.send(snapshot())))
    page.goto(address)
    expect(page.locator("[data-k='stacks.rh']")).to_have_text("–")
    expect(page.locator("[data-stat='stacks.rh']")).to_have_class("stat is-missing")


def test_an_alarm_appears_without_reloading(visit, address, building):
    page = visit()
    building.floors = FLOORS
    page.goto(address)
    expect(page.locator("html.is-live")).to_have_count(1)
    building.open_alarms = [fire(now=building.now, place_id="stacks")]
    building.rev += 1
    expect(page.locator("[role=alert] h2")).to_have_text("Fire alarm: Whole building")
    page.locator(".plan").get_by_role("link", name="Fire alarm").click()
    expect(page.locator("#alarm-fire-1")).to_be_in_viewport()
    assert barriers(page) == []


def test_a_librarian_takes_control_and_gives_it_back_by_keyboard(visit, address, building):
    page = visit()
    sign_in(page, address, STAFF)
    row = page.locator("#actuator-reading-curtain")
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    row.get_by_label("50 % closed").check()
    row.get_by_label("30 minutes").check()
    row.get_by_role("button", name="Take control").press("Enter")
    expect(row.get_by_text("By hand until")).to_be_visible()
    expect(row.locator("details")).not_to_have_attribute("open", "")
    assert building.asked == [("override", "reading-curtain", 50.0, 1800, "librarian")]
    expect(page.locator("#actuators-reading-room .mode")).to_have_text("Partly by hand")
    row.get_by_role("button", name="Back to automatic").click()
    expect(row.get_by_text("By hand until")).to_have_count(0)


def test_an_open_control_stays_open_when_the_room_changes(visit, address, building):
    page = visit()
    sign_in(page, address, STAFF)
    row = page.locator("#actuator-reading-vent")
    row.locator("summary").click()
    row.get_by_label("30 %", exact=True).check()
    with page.expect_response("**/fragments/rooms/reading-room/actuators"):
        page.evaluate(
            "document.querySelector('#actuators-reading-room').dispatchEvent(new CustomEvent('live-changed'))"
        )
    expect(row.get_by_role("button", name="Take control")).to_be_visible()
    assert row.locator("input[value='30']").first.is_checked()


def test_the_search_answers_while_typing_and_keeps_its_address(visit, address):
    page = visit(size=PHONE)
    page.goto(f"{address}/search")
    page.locator("#q").press_sequentially("sherlock")
    expect(page.locator(".results-head")).to_have_text("1 title found")
    page.wait_for_url("**/search?q=sherlock")
    page.locator("#q").press("Enter")
    page.locator("#q").fill("")
    kept = page.get_by_role("region", name="Last searches on this device")
    expect(kept.get_by_role("link")).to_have_text(["sherlock"])
    assert barriers(page) == []
    kept.get_by_role("button", name="Forget them").click()
    expect(kept).to_be_hidden()
    expect(page.locator("#q")).to_be_focused()


def test_a_reader_renews_without_reloading_and_hears_about_it(visit, address):
    page = visit(size=PHONE)
    sign_in(page, address, READER)
    page.wait_for_url("**/my/loans")
    page.get_by_role("button", name="Renew all").click()
    expect(page.locator("#outcomes")).to_contain_text("renewed until")
    expect(page.locator("#outcomes")).to_be_focused()


def test_theme_and_language_are_kept(visit, address):
    page = visit()
    page.goto(address)
    page.get_by_role("button", name="Switch between light and dark").click()
    page.get_by_text("中文").click()
    expect(page.locator("h1")).to_have_text("总览")
    page.goto(f"{address}/alarms")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_everything_works_without_scripts(browser, building, address):
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    sign_in(page, address, STAFF)
    page.locator("#actuator-reading-curtain summary").click()
    page.locator("#actuator-reading-curtain").get_by_role("button", name="Take control").click()
    expect(page.locator("#actuator-reading-curtain").get_by_text("By hand until")).to_be_visible()
    context.close()


@pytest.mark.parametrize(
    ("path", "size", "budget"), [("/", DESKTOP, 90), ("/search", PHONE, 60), ("/my/loans", PHONE, 60)]
)
def test_pages_stay_within_their_weight(visit, address, path, size, budget):
    page = visit(size=size)
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    received = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(address + path)
    page.wait_for_load_state("networkidle")
    assert sum(received) <= budget * KIB


def snapshot():
    return json.dumps(
        {"seq": 1, "full": True, "now": 1793236980123, "patch": {"reading-room.temp": {"v": 17, "t": 1793236979000}}}
    )


def test_an_action_that_fails_is_not_silent(visit, address):
    page = visit(may_complain=True)
    sign_in(page, address, STAFF)
    page.route("**/override", lambda route: route.abort())
    row = page.locator("#actuator-reading-curtain")
    row.locator("summary").click()
    row.get_by_role("button", name="Take control").click()
    expect(page.locator("[data-failed-banner]")).to_be_visible()
    page.unroute("**/override")
    page.route(
        "**/override", lambda route: route.fulfill(status=200, content_type="application/problem+json", body="{}")
    )
    row.get_by_role("button", name="Take control").click()
    expect(page.locator("[data-failed-banner]")).to_be_visible()
    expect(row).to_be_visible()


def test_an_actuator_that_was_heard_of_late_still_appears(visit, address, building, monkeypatch):
    page = visit()
    monkeypatch.setattr(building, "_actuators", lambda room, pick: ())
    page.goto(address)
    expect(page.locator(".actuator")).to_have_count(0)
    monkeypatch.undo()
    page.evaluate("document.querySelector('#actuators-stacks').dispatchEvent(new CustomEvent('live-changed'))")
    expect(page.locator("#actuators-stacks .actuator")).to_have_count(3)


def test_a_new_address_comes_back_when_the_session_had_ended(visit, address):
    page = visit()
    sign_in(page, address, READER)
    page.goto(f"{address}/my/account")
    page.locator("summary", has_text="How we reach you").click()
    page.get_by_label("Telephone").fill("0571 8888 0000")
    page.context.clear_cookies(name="carrel_session")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/sign-in?next=**")
    page.fill("#user", READER[0])
    page.fill("#password", READER[1])
    page.click("main button[type=submit]")
    page.wait_for_url("**/my/account*")
    expect(page.locator("[data-restored]")).to_be_visible()
    expect(page.get_by_label("Telephone")).to_have_value("0571 8888 0000")
