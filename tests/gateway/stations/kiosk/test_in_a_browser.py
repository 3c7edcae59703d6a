import itertools
import json
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI, Request
from playwright.sync_api import expect

from carrel.web.pages import Site, mount
from gateway.stations.kiosk.page import TEMPLATES, message
from tests.support.browser import KIOSK_LANDSCAPE, KIOSK_PORTRAIT, barriers, overflows, serving
from tests.support.sample_screens import screens

pytestmark = pytest.mark.browser

SITE = Site("Carrel Demo Library", "卡雷尔示范图书馆", ZoneInfo("Asia/Shanghai"), "zh-CN", simulated=True)
SIZES = {"portrait": KIOSK_PORTRAIT, "landscape": KIOSK_LANDSCAPE}


@pytest.fixture(scope="module")
def kiosk():
    app = FastAPI()
    pages = mount(app, SITE, [TEMPLATES])

    @app.get("/kiosk")
    def shell(request: Request):
        return pages.response(request, "kiosk.html")

    with serving(app) as address:
        yield address, pages


class Gateway:
    """The other end of the page's WebSocket."""

    def __init__(self, page, pages):
        self.heard = []
        self.sockets = []
        self.seq = 0
        self.pages = pages
        self.answers = True
        page.route_web_socket("**/kiosk/live", self._opened)

    def show(self, screen):
        self.seq += 1
        self.sockets[-1].send(json.dumps({"seq": self.seq, **message(self.pages, screen)}))

    def touches(self):
        return [(m["touch"], m["seq"]) for m in self.heard if m.get("touch") not in (None, "activity")]

    def _opened(self, socket):
        self.sockets.append(socket)
        socket.on_message(self._take)

    def _take(self, text):
        said = json.loads(text)
        self.heard.append(said)
        if "ping" in said and self.answers:
            self.sockets[-1].send(json.dumps({"pong": said["ping"]}))


@pytest.fixture
def open_kiosk(browser, kiosk):
    address, pages = kiosk
    complaints = []
    contexts = []

    def opened(size="portrait", theme=None, clock=False):
        context = browser.new_context(viewport=SIZES[size], color_scheme="dark", reduced_motion="reduce")
        contexts.append(context)
        context.add_cookies([{"name": "carrel_theme", "value": theme, "url": address}] if theme else [])
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        gateway = Gateway(page, pages)
        if clock:
            page.clock.install()
        page.goto(f"{address}/kiosk")
        while not gateway.sockets:
            page.wait_for_timeout(10)
        return page, gateway

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize(
    ("size", "language", "theme"), list(itertools.product(SIZES, ["zh-CN", "en"], ["light", "dark"])), ids=str
)
def test_every_screen_is_free_of_barriers_and_big_enough_for_fingers(open_kiosk, size, language, theme):
    page, gateway = open_kiosk(size, theme)
    for name, screen in screens(language).items():
        gateway.show(screen)
        expect(page.locator("#kiosk")).to_have_attribute("data-seq", str(gateway.seq))
        assert barriers(page) == [], name
        assert not overflows(page), name
        small = page.eval_on_selector_all(
            "[data-touch]",
            "all => all.map(b => b.getBoundingClientRect()).filter(r => r.height < 88).map(r => r.height)",
        )
        assert small == [], f"{name}: {small}"
        beyond = page.eval_on_selector_all(
            "[data-touch]",
            "all => all.map(b => b.getBoundingClientRect()).filter(r => r.bottom > innerHeight + 1).length",
        )
        assert beyond == 0, name


def test_the_kiosk_is_light_unless_it_is_set_otherwise(open_kiosk):
    page, _ = open_kiosk()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_five_books_fit_on_the_smaller_screen_without_scrolling(open_kiosk):
    page, gateway = open_kiosk("landscape")
    for name in ("items", "result", "busy"):
        gateway.show(screens("en")[name])
        expect(page.locator(".item")).to_have_count(5)
        assert (
            page.evaluate(
                "(() => { const l = document.querySelector('.items'); return l.scrollHeight - l.clientHeight })()"
            )
            <= 1
        )


def test_a_touch_names_the_screen_it_was_meant_for(open_kiosk):
    page, gateway = open_kiosk()
    gateway.show(screens("en")["idle"])
    page.get_by_role("button", name="Borrow").click()
    gateway.show(screens("en")["items"])
    page.get_by_role("button", name="Borrow these 5 items").click()
    page.get_by_role("button", name="中文").click()
    page.wait_for_timeout(50)
    assert gateway.touches() == [("borrow", 1), ("confirm", 2), ("language", 2)]


def test_a_button_that_waits_sends_nothing(open_kiosk):
    page, gateway = open_kiosk()
    gateway.show(screens("en")["items-mixed"])
    page.locator("#confirm").click(force=True)
    page.wait_for_timeout(50)
    assert gateway.touches() == []


def test_the_whole_kiosk_works_by_keyboard(open_kiosk):
    page, gateway = open_kiosk()
    gateway.show(screens("en")["idle"])
    expect(page.locator("h1")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#borrow")).to_be_focused()
    page.keyboard.press("Enter")
    gateway.show(screens("en")["identify"])
    expect(page.locator("h1")).to_have_text("Lay your library card on the reader")
    expect(page.locator("h1")).to_be_focused()
    page.keyboard.press("Escape")
    page.wait_for_timeout(50)
    assert gateway.touches() == [("borrow", 1), ("done", 2)]


def test_a_change_on_the_same_screen_leaves_the_finger_where_it_is(open_kiosk):
    page, gateway = open_kiosk()
    gateway.show(screens("en")["items"])
    page.locator("#again").focus()
    gateway.show(screens("en")["items-mixed"])
    expect(page.locator(".item.refused")).to_have_count(1)
    expect(page.locator("#again")).to_be_focused()


def test_the_dialog_counts_down_and_takes_the_focus(open_kiosk):
    page, gateway = open_kiosk(clock=True)
    gateway.show(screens("en")["items-countdown"])
    expect(page.locator("[data-countdown]")).to_have_text("15")
    expect(page.locator("#still-there")).to_be_focused()
    page.clock.run_for(4100)
    expect(page.locator("[data-countdown]")).to_have_text("11")
    assert page.locator("main.screen").evaluate("element => element.inert")
    page.get_by_role("button", name="I need more time").click()
    gateway.show(screens("en")["items"])
    expect(page.locator("[role=alertdialog]")).to_have_count(0)
    assert gateway.touches() == [("more_time", 1)]


def test_nothing_about_a_person_stays_when_the_gateway_goes(open_kiosk):
    page, gateway = open_kiosk()
    gateway.show(screens("en")["items"])
    expect(page.locator("body")).to_contain_text("张*")
    gateway.sockets[-1].close()
    expect(page.locator("h1")).to_have_text("暂停服务")
    everything = page.evaluate(
        "document.documentElement.outerHTML + JSON.stringify({...localStorage, ...sessionStorage}) + location"
    )
    assert "张" not in everything
    assert "红楼梦" not in everything


def test_a_gateway_that_falls_silent_is_noticed_and_found_again(open_kiosk):
    page, gateway = open_kiosk(clock=True)
    gateway.show(screens("en")["idle"])
    gateway.answers = False
    page.clock.run_for(8100)
    expect(page.locator("#kiosk")).to_have_attribute("data-screen", "lost")
    gateway.answers = True
    page.clock.run_for(1100)
    page.wait_for_timeout(50)
    gateway.show(screens("en")["idle"])
    expect(page.locator("h1")).to_have_text("Welcome")


def test_the_kiosk_s_page_stays_within_its_weight(open_kiosk, kiosk, browser):
    context = browser.new_context(viewport=KIOSK_PORTRAIT)
    page = context.new_page()
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    received = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    gateway = Gateway(page, kiosk[1])
    page.goto(f"{kiosk[0]}/kiosk")
    gateway.show(screens("zh-CN")["items"])
    page.wait_for_load_state("networkidle")
    context.close()
    assert 0 < sum(received) <= 40 * 1024
