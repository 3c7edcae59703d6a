"""The rooms' pages in a real browser, on a made-up building with a year of history."""

import csv
import io
import itertools
import threading
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from server.exports import endpoints as exports
from server.exports.worker import Worker
from tests.support.browser import DESKTOP, PHONE, barriers, overflows, press_by_keyboard, sign_in, visiting
from tests.support.pages_app import STAFF
from tests.support.sample_building import SampleBuilding

pytestmark = pytest.mark.browser

ROOM = "/rooms/reading-room"
KIB = 1024
INK = """figure => {
    const canvas = figure.querySelector("canvas");
    const colour = getComputedStyle(figure).getPropertyValue("--series").trim();
    const probe = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    probe.fillStyle = colour;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const columns = new Set();
    for (let i = 0; i < pixels.length; i += 4)
        if (Math.abs(pixels[i] - r) + Math.abs(pixels[i + 1] - g) + Math.abs(pixels[i + 2] - b) < 30)
            columns.add((i / 4) % canvas.width);
    return columns.size / canvas.width;
}"""
"""The share of a chart's columns of pixels that hold its curve."""


@pytest.fixture
def building(site):
    site[0].state.building = site[0].state.room_book = SampleBuilding()
    return site[0].state.building


@pytest.fixture
def visit(browser, building):
    with visiting(browser) as opened:
        yield partial(opened, timezone_id="America/New_York")


def drawn(page, quantity="temp"):
    """The chart of a quantity, once it is drawn."""
    page.locator(f"[data-chart='{quantity}'] [data-plot]").scroll_into_view_if_needed()
    expect(page.locator(".charts[aria-busy=false]")).to_have_count(1)
    figure = page.locator(f"[data-chart='{quantity}']")
    expect(figure.locator("canvas")).to_have_count(1)
    return figure


@pytest.mark.parametrize(
    ("language", "theme", "size"),
    list(itertools.product(["zh-CN", "en"], ["light", "dark"], [PHONE, DESKTOP]))[::3],
    ids=str,
)
def test_there_are_no_barriers_in_any_look(visit, address, building, language, theme, size):
    page = visit(language, theme, size)
    page.goto(f"{address}/rooms")
    assert barriers(page) == []
    assert not overflows(page)
    sign_in(page, address, STAFF)
    page.goto(address + ROOM)
    drawn(page).locator("summary").click()
    page.locator("#decision-reading-curtain summary").click()
    assert barriers(page) == []
    assert not overflows(page)


def test_a_chart_draws_what_was_measured_and_leaves_gaps(visit, address):
    page = visit()
    page.goto(address + ROOM)
    figure = drawn(page)
    whole = figure.evaluate(INK)
    assert 0.7 < whole < 0.93, "the axis on the left, and an hour in which nothing was measured"
    expect(figure.locator("[data-summary]")).to_contain_text("greatest")
    page.get_by_role("button", name="1 h").click()
    expect(page.locator("[data-range='1h']")).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(f"{address}{ROOM}?span=1h")
    page.reload()
    assert drawn(page).evaluate(INK) > whole, "no gap in the last hour"


@pytest.mark.parametrize("span", ["7d", "30d", "1y"])
def test_every_span_up_to_a_year_is_drawn(visit, address, span):
    page = visit()
    page.goto(f"{address}{ROOM}?span={span}")
    for quantity in ("temp", "rh", "lux", "dew_point"):
        assert drawn(page, quantity).evaluate(INK) > 0.5
    expect(page.locator("[data-strip]").first).to_be_visible()


def test_the_same_can_be_read_as_a_table_and_by_keyboard(visit, address):
    page = visit()
    page.goto(address + ROOM)
    figure = drawn(page)
    figure.locator("summary").click()
    expect(figure.locator("tr")).not_to_have_count(0)
    assert 20 < figure.locator("tr").count() <= 50
    expect(figure.locator("th").first).to_have_text("Time")
    plot = figure.locator("[data-plot]")
    plot.focus()
    page.keyboard.press("End")
    expect(figure.locator("[data-readout]")).to_contain_text("°C")
    last = figure.locator("[data-readout]").text_content()
    page.keyboard.press("ArrowLeft")
    expect(figure.locator("[data-readout]")).not_to_have_text(last)


def test_history_that_cannot_be_read_is_told(visit, address):
    page = visit()
    page.route(
        "**/history?**",
        lambda route: route.fulfill(status=200, json={"t": [], "min": [], "mean": [], "max": [], "bucket_s": 300}),
    )
    page.goto(address + ROOM)
    page.locator(".course").scroll_into_view_if_needed()
    expect(page.locator("[data-chart='temp'] [data-summary]")).to_have_text("Nothing was measured in this time.")


@pytest.fixture
def exporting(site, tmp_path, monkeypatch):
    """The site makes files, as the server does: in a thread beside the requests."""
    app = site[0]
    core = app.state.core
    monkeypatch.setattr(exports, "folder_of", lambda _core: tmp_path)
    app.include_router(exports.router)
    zone = ZoneInfo("Asia/Shanghai")
    worker = Worker(core.database, app.state.rooms.past, core.clock, folder=tmp_path, zone=zone)
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield
    worker.stopping.set()
    thread.join()


def test_staff_takes_what_is_shown_along_as_a_file(visit, address, exporting):
    page = visit()
    page.goto(address + ROOM)
    drawn(page)
    expect(page.get_by_role("button", name="Download as CSV")).to_have_count(0)
    sign_in(page, address, STAFF)
    page.goto(address + ROOM)
    drawn(page)
    with page.expect_download() as download:
        press_by_keyboard(page.get_by_role("button", name="Download as CSV"))
    expect(page.locator("[data-export-state]")).to_have_text("The file is ready.")
    assert download.value.suggested_filename.endswith("-5min.csv")
    text = download.value.path().read_text(encoding="utf-8")
    assert text.startswith("\ufefftime [Asia/Shanghai],time [UTC],room,bucket [s],temp mean [°C]")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert 270 <= len(rows) <= 289, "a day in 5 minutes, without the hour in which nothing was measured"
    assert {(row["room"], row["bucket [s]"]) for row in rows} == {("reading-room", "300")}
    assert all(one["time [UTC]"] < other["time [UTC]"] for one, other in pairwise(rows))
    assert all(float(row["rh min [%]"]) <= float(row["rh mean [%]"]) <= float(row["rh max [%]"]) for row in rows)


def test_a_file_that_cannot_be_made_is_told(visit, address):
    page = visit(may_complain=True)
    sign_in(page, address, STAFF)
    page.route("**/api/v1/exports", lambda route: route.fulfill(status=503, json={"code": "history_unavailable"}))
    page.goto(address + ROOM)
    drawn(page)
    button = page.get_by_role("button", name="Download as CSV")
    button.click()
    expect(page.locator("[data-export-state]")).to_contain_text("could not be made")
    expect(button).to_be_enabled()


def test_values_move_and_tell_how_far_they_are_from_their_target(visit, address):
    page = visit()
    page.goto(address + ROOM)
    expect(page.locator("html.is-live")).to_have_count(1)
    light = page.locator("[data-k='reading-room.lux']").first
    first = light.text_content()
    expect(light).not_to_have_text(first, timeout=30_000)
    expect(page.locator("[data-verdict='reading-room.lux']")).to_contain_text("lx above the target")
    expect(page.locator("[data-verdict='reading-room.temp']")).to_have_text("inside the target")


def test_a_librarian_sees_a_command_queued_sent_confirmed_or_failed(visit, address, building):
    building.stage = "queued"
    page, other = visit(), visit("zh-CN")
    other.goto(address + ROOM)
    sign_in(page, address, STAFF)
    page.goto(address + ROOM)
    row = page.locator("#decision-reading-vent")
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    row.get_by_label("30 %", exact=True).check()
    press_by_keyboard(row.get_by_role("button", name="Take control"))
    expect(row.locator(".steps .now")).to_have_text("queued")
    assert building.asked == [("override", "reading-vent", 30.0, 7200, "librarian")]
    for stage, words in (
        ("sent", "On its way to the gateway"),
        ("moving", "still reports: 60 %"),
        ("confirmed", "The device reports it"),
        ("unconfirmed", "reported nothing else than"),
    ):
        building.comes_to(stage, "reading-vent")
        expect(row.locator(".progress-words")).to_contain_text(words, timeout=10_000)
    building.comes_to("refused", "reading-vent", code="value_out_of_range")
    expect(row.locator(".steps .failed")).to_contain_text("failed", timeout=10_000)
    expect(other.locator("#decision-reading-vent .progress-words")).to_have_text(
        "失败：设备不支持此操作。", timeout=10_000
    )


def test_the_end_of_manual_control_is_counted_down_and_giving_back_ends_it(visit, address, building):
    building.stage = "confirmed"
    page = visit()
    sign_in(page, address, STAFF)
    page.goto(address + ROOM)
    row = page.locator("#decision-reading-ac")
    row.locator("summary").click()
    row.get_by_role("button", name="Take control").click()
    countdown = row.locator("[data-until]")
    expect(countdown).to_contain_text("1:59:")
    before = countdown.text_content()
    expect(countdown).not_to_have_text(before)
    row.get_by_role("button", name="Back to automatic").click()
    expect(row.locator(".wish")).to_have_count(0)


def test_everything_but_the_charts_works_without_scripts(visit, address, building):
    page = visit(java_script_enabled=False)
    sign_in(page, address, STAFF)
    page.goto(address + ROOM)
    assert "The charts need scripts" in page.content()
    row = page.locator("#decision-reading-curtain")
    row.locator("summary").click()
    row.get_by_role("button", name="Take control").click()
    expect(page).to_have_url(address + ROOM)
    expect(row.get_by_text("By hand until")).to_be_visible()


def test_the_page_stays_within_its_weight(visit, address):
    page = visit()
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    received = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(address + ROOM)
    drawn(page)
    page.wait_for_load_state("networkidle")
    assert sum(received) <= 90 * KIB
