"""A real browser before the real library: the duty desk, and what a dead server looks like on each page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import KIOSK_PORTRAIT, Look, Visit, press_by_keyboard, sign_in, sign_in_by_keyboard
from tests.support.kiosk_page import SLOW_MS, look_in_both, on_screen
from tests.support.programs import Library, library, settled, wait_for

pytestmark = [pytest.mark.process, pytest.mark.browser, pytest.mark.timeout(120)]

SHANGHAI = ZoneInfo("Asia/Shanghai")
LANGUAGES = ("en", "zh-CN")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The library of this story; one test kills its server and starts it again."""
    with library(tmp_path_factory.mktemp("house")) as running:
        settled(running)
        yield running


def dashboard(visit: Visit, house: Library, language: str = "en", **options: Any) -> Page:
    """The overview, alive. What it shows from now on came without reloading: `same(page)`."""
    page = visit(house.dashboard, language, **options)
    live(page)
    return page


def live(page: Page) -> None:
    expect(page.locator("html.is-live")).to_have_count(1)
    page.evaluate("window.opened = true")


def same(page: Page) -> bool:
    """Whether the page is the one that `live` saw, never reloaded since."""
    return bool(page.evaluate("window.opened === true"))


def shown(page: Page, key: str) -> Locator:
    return page.locator(f"[data-k='{key}']").last  # the overview's plan has it too, above


# ---------------------------------------------------------------- the duty desk
def test_values_change_and_age_by_themselves_and_the_curtain_says_why(house: Library, visit: Visit, look: Look) -> None:
    pages = {language: dashboard(visit, house, language) for language in LANGUAGES}
    words = {"en": ("Closed", "Light"), "zh-CN": ("已关闭", "光照")}
    try:
        house.sim("set", "reading-room", "lux=600", "temp=23.4")
        for page in pages.values():
            expect(shown(page, "reading-room.lux")).to_have_text(re.compile(r"^[56]\d\d$"), timeout=SLOW_MS)
            expect(shown(page, "reading-room.temp")).to_have_text(re.compile(r"^23\.\d$"), timeout=SLOW_MS)
        age = pages["en"].locator("[data-age='reading-room.lux']")
        expect(age).to_have_text(re.compile(r"^\d+ seconds ago$"), timeout=SLOW_MS)
        expect(age).not_to_have_text(age.inner_text())

        house.sim("set", "reading-room", "lux=3000")
        for language, page in pages.items():
            row = page.locator("#actuator-reading-curtain")
            expect(row.locator(".state")).to_have_text(words[language][0], timeout=SLOW_MS)
            expect(row.locator(".why")).to_contain_text(words[language][1])
            expect(row.locator(".why")).to_contain_text("2,500 lx")
            expect(shown(page, "reading-room.lux")).not_to_have_text(re.compile("^3,"), timeout=SLOW_MS)
            look(page, "dashboard")
            assert same(page)
    finally:
        house.sim("set", "reading-room", "lux=auto")


@dataclass(frozen=True, slots=True)
class FireWords:
    """What the page says about a fire in one language."""

    headline: str
    answer: str
    acknowledge: str
    silence: str
    reset: str
    active: str
    quiet: str


FIRE = {
    "en": FireWords(
        "Fire alarm: Whole building", "Sign in to answer", "Acknowledge", "Silence the siren", "Reset",
        "A detector is still active.", "All quiet since",
    ),
    "zh-CN": FireWords(
        "火警：全馆", "登录后处理", "确认", "警笛消音", "复位", "仍有探测器处于报警状态", "起一切正常"
    ),
}  # fmt: skip


@pytest.fixture
def smoke(house: Library) -> Iterator[None]:
    """Smoke; however the test ends, none and no alarm for the next one."""
    house.sim("contact", "io-1.smoke", "open")
    yield
    house.sim("contact", "io-1.smoke", "closed")
    duty = house.client("duty", "duty-demo")

    def reset() -> bool:
        return all(duty.post(f"/alarms/{alarm['id']}/reset").status_code == 200 for alarm in open_alarms(house))

    wait_for("the panel is reset", reset)


@pytest.mark.parametrize(("language", "hand"), [("en", "mouse"), ("zh-CN", "keyboard")])
def test_a_fire_is_answered_on_the_open_page(
    language: str, hand: str, house: Library, visit: Visit, look: Look, request: pytest.FixtureRequest
) -> None:
    words = FIRE[language]
    page = dashboard(visit, house, language)
    request.getfixturevalue("smoke")  # only now that the page is open
    expect(page.get_by_role("alert").locator("h2")).to_have_text(words.headline, timeout=SLOW_MS)
    expect(page.locator("#actuators-stacks .mode .badge.alarm")).to_be_visible(timeout=SLOW_MS)
    assert same(page)
    look(page, "fire-seen-by-all")

    press: Callable[[Locator], None] = press_by_keyboard if hand == "keyboard" else Locator.click
    press(page.get_by_role("link", name=words.answer))
    expect(page.locator("#user")).to_be_focused()
    sign_in_by_keyboard(page, ("duty", "duty-demo"))
    live(page)
    button = page.locator("#alarms").get_by_role("button")
    expect(button.filter(has_text=words.reset)).to_be_disabled()
    expect(page.locator("#alarms .why-not")).to_contain_text(words.active)
    look(page, "fire-to-answer")
    for answer in (words.acknowledge, words.silence):
        press(button.filter(has_text=answer))
        expect(button.filter(has_text=answer)).to_have_count(0)
    wait_for("the siren is off, the lamp on", lambda: house.outputs()["lamp"] and not house.outputs()["siren"])

    house.sim("contact", "io-1.smoke", "closed")
    expect(button.filter(has_text=words.reset)).to_be_enabled(timeout=SLOW_MS)
    press(button.filter(has_text=words.reset))
    expect(page.locator("#alarms .quiet-line")).to_contain_text(words.quiet)
    assert not any(house.outputs()[name] for name in ("lamp", "siren", "door-release"))
    assert same(page)
    page.goto(f"{house.dashboard}/alarms")
    expect(page.locator("tbody tr").first).to_contain_text(words.headline)
    look(page, "alarm-log")


def test_a_reset_while_the_smoke_is_back_is_refused_in_words(
    house: Library, visit: Visit, look: Look, smoke: None
) -> None:
    page = visit(house.dashboard)
    sign_in(page, house.dashboard, ("duty", "duty-demo"))
    reset = page.locator("#alarms").get_by_role("button", name="Reset")
    house.sim("contact", "io-1.smoke", "closed")
    expect(reset).to_be_enabled(timeout=SLOW_MS)

    page.route("**/fragments/alarms", lambda route: route.fulfill(status=204))  # the page has not heard yet that
    house.sim("contact", "io-1.smoke", "open")  # the smoke is back
    wait_for("the detector is active", lambda: any(cause["active"] for cause in open_alarms(house)[0]["causes"]))
    reset.click()
    expect(page.locator("#alarms .refusal")).to_contain_text(FIRE["en"].active)
    expect(reset).to_be_disabled()
    look(page, "fire-reset-refused")
    assert house.outputs()["lamp"]


def open_alarms(house: Library) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.client().get("/alarms", params={"state": "open"}).json()["alarms"]
    return found


CURTAINS = [("en", "stacks", "stacks-curtain"), ("zh-CN", "reading-room", "reading-curtain")]
"""One each: a curtain that has just moved rests for ten seconds before it follows anybody."""


@pytest.mark.parametrize(("language", "room", "curtain"), CURTAINS, ids=LANGUAGES)
def test_a_curtain_is_taken_by_hand_until_a_time_and_given_back(
    language: str, room: str, curtain: str, house: Library, visit: Visit, look: Look
) -> None:
    take, back, until, mode = {
        "en": ("Take control", "Back to automatic", "By hand until", "Partly by hand"),
        "zh-CN": ("开始手动控制", "恢复自动", "手动至", "部分手动"),
    }[language]
    page = visit(house.dashboard, language)
    sign_in(page, house.dashboard, ("librarian", "librarian-demo"))
    live(page)
    row = page.locator(f"#actuator-{curtain}")
    row.locator("summary").click()
    row.locator("label", has=page.locator("input[name=value][value='50']")).click()
    row.locator("label", has=page.locator("input[name=minutes][value='30']")).click()
    look(page, "control-open")
    pressed = datetime.now(UTC)
    row.get_by_role("button", name=take).click()

    badge = row.locator(".override .badge")
    expect(badge).to_contain_text(until)
    ends = [(pressed + timedelta(minutes=30, seconds=s)).astimezone(SHANGHAI).strftime("%H:%M") for s in (0, 5)]
    assert any(end in badge.inner_text() for end in ends), "the end, by the library's clock"
    expect(page.locator(f"#actuators-{room} .mode")).to_have_text(mode)
    wait_for("the curtain is half closed", lambda: house.room(room)["curtain_closed_pct"] == 50, 30)
    expect(row.locator(".state")).to_contain_text("50", timeout=SLOW_MS)
    expect(row.locator(".badge", has_text="...")).to_have_count(0)
    look(page, "controlled-by-hand")

    row.get_by_role("button", name=back).click()
    expect(badge).to_have_count(0)
    expect(page.locator(f"#actuators-{room} .mode")).not_to_have_text(mode)
    assert same(page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rooms_page_draws_its_history_and_a_command_comes_to_the_devices_own_report(
    language: str, house: Library, visit: Visit, look: Look
) -> None:
    take, back, confirmed = {
        "en": ("Take control", "Back to automatic", "The device reports it"),
        "zh-CN": ("开始手动控制", "恢复自动", "设备已报告到位"),
    }[language]
    page = visit(house.dashboard, language)
    sign_in(page, house.dashboard, ("librarian", "librarian-demo"))
    page.goto(f"{house.dashboard}/rooms/stacks?span=1h")
    live(page)
    row = page.locator("#decision-stacks-vent")
    row.locator("summary").click()
    row.locator("label", has=page.locator("input[name=value][value='60']")).click()
    row.get_by_role("button", name=take).click()
    expect(row.locator(".progress-words")).to_have_text(confirmed, timeout=30_000)
    expect(row.locator(".reports")).to_contain_text("60 %")
    expect(page.locator("#rules tbody tr").first).to_be_visible()
    page.locator("[data-chart=temp]").scroll_into_view_if_needed()
    expect(page.locator("[data-chart=temp] [data-summary]")).to_contain_text("°C", timeout=SLOW_MS)
    expect(page.locator("[data-chart=temp] canvas")).to_be_visible()
    look(page, "room")
    row.get_by_role("button", name=back).click()
    expect(row.locator(".wish")).to_have_count(0, timeout=SLOW_MS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_devices_page_shows_the_network_and_opens_and_shuts_it(
    language: str, house: Library, visit: Visit, look: Look
) -> None:
    page = visit(house.dashboard, language)
    sign_in(page, house.dashboard, ("librarian", "librarian-demo"))
    page.goto(f"{house.dashboard}/devices")
    live(page)
    expect(page.locator(".device-name")).to_have_count(12)
    page.locator(".join-form button").click()
    expect(page.locator(".join.is-open [data-until]")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("#desk .notice.ok")).to_be_visible(timeout=SLOW_MS)
    look(page, "devices-open")
    page.locator(".join.is-open button").click()
    expect(page.locator(".join-form")).to_be_visible(timeout=SLOW_MS)


# ---------------------------------------------------------------- outages
def test_a_dead_server_is_told_on_both_pages_and_they_heal_by_themselves(
    house: Library, visit: Visit, look: Look
) -> None:
    desk = dashboard(visit, house, may_complain=True)
    kiosk = visit(house.kiosk, "zh-CN", viewport=KIOSK_PORTRAIT, may_complain=True)
    on_screen(kiosk, "idle")
    kiosk.evaluate("window.opened = true")
    banner, age = desk.locator("[data-stale-banner]"), desk.locator("[data-age='reading-room.temp']")
    expect(banner).to_be_hidden()

    house.kill("server")
    killed = time.monotonic()
    expect(banner).to_be_visible(timeout=SLOW_MS)
    assert time.monotonic() - killed < 7.5
    on_screen(kiosk, "closed")
    expect(age).to_have_text(re.compile(r"^\d+ seconds ago$"), timeout=SLOW_MS)
    expect(age).not_to_have_text(age.inner_text())
    look(desk, "dashboard-without-server")
    look_in_both(kiosk, look, "kiosk-without-server")

    house.start("server")
    expect(banner).to_be_hidden(timeout=SLOW_MS)
    expect(desk.locator("html.is-live")).to_have_count(1)
    on_screen(kiosk, "idle")
    assert same(desk)
    assert same(kiosk)
