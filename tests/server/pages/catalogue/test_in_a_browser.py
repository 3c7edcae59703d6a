"""The cataloguing pages in a real browser, in every look."""

import itertools
from threading import Event

import pytest
from playwright.sync_api import expect

from server.catalogue import service as catalogue
from server.catalogue.editing import service as editing
from server.catalogue.editing.service import By
from server.catalogue.imports import service as imports
from server.catalogue.imports.policy import Options
from server.catalogue.imports.runner import Runner
from server.catalogue.imports.service import Source
from server.catalogue.service import NewRecord, Wanted
from tests.support.browser import DESKTOP, PHONE, barriers, overflows, sign_in, visiting
from tests.support.marc import DREAM, EMMA, iso2709
from tests.support.pages_app import STAFF

pytestmark = pytest.mark.browser

KIB = 1024
LOOKS = list(itertools.product(["zh-CN", "en"], ["light", "dark"], [PHONE, DESKTOP]))[::3]


@pytest.fixture(scope="module")
def tried(site, tmp_path_factory):
    """The report of a file that was tried: its address."""
    core = site[0].state.core
    file = tmp_path_factory.mktemp("imports") / "titles.mrc"
    file.write_bytes(iso2709(DREAM) + b"=junk\x1d" + iso2709(EMMA))
    runner = Runner(core.database, core.clock, "worker-1", "user:librarian", Event())
    with core.database.writing() as session:
        source = Source(file.name, "0" * 64, file.stat().st_size, "upload")
        job = imports.create(session, source, Options(dry_run=True), subject="user:librarian", now=core.clock.now())
        job = imports.claim(session, job.id, runner.worker, core.clock.now())
    runner.run(job, file)
    return f"/catalogue/import/{job.id}"


@pytest.fixture(scope="module")
def record(site):
    """A title with copies: (its address, the barcode of one)."""
    with site[0].state.core.database.reading() as session:
        (found,) = catalogue.search(session, Wanted("红楼梦", 1, 0)).records
        barcode = catalogue.items_of(session, found.id)[0].barcode
    return f"/catalogue/records/{found.id}", barcode


@pytest.fixture(scope="module")
def hidden(site):
    """The list of titles that readers do not find, with one in it: its address."""
    core = site[0].state.core
    new = NewRecord(title="待核对的旧方志", author="佚名", year="1936", language="zh")
    with core.database.writing() as session:
        by = By("user:librarian", core.clock.now())
        editing.update_record(session, editing.create_record(session, new, by), {"suppressed": True}, by)
    return "/catalogue/hidden"


@pytest.fixture
def visit(browser, address):
    """Opens an empty page of a librarian."""
    with visiting(browser) as opened:

        def visit(*look, **options):
            page = opened(*look, **options)
            sign_in(page, address, STAFF)
            return page

        yield visit


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS, ids=str)
def test_there_are_no_barriers_in_any_look(visit, address, hidden, tried, record, language, theme, size, tmp_path):
    page = visit(language, theme, size)
    opened = f"{record[0]}?copy={record[1]}"
    paths = (
        "/catalogue?q=a",
        hidden,
        opened,
        "/catalogue/records/new",
        "/catalogue/import",
        tried,
        "/catalogue/labels",
    )
    for path in paths:
        page.goto(address + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        page.screenshot(
            path=tmp_path / f"{path.split('?')[0].replace('/', '-')}-{language}-{theme}.png", full_page=True
        )
        assert barriers(page) == [], path
        assert not overflows(page), path


def test_a_title_is_catalogued_without_scripts(visit, address):
    page = visit("en", java_script_enabled=False, may_complain=True)
    page.goto(f"{address}/catalogue/records/new")
    page.get_by_label("ISBN", exact=True).fill("9787020002208")
    page.get_by_role("button", name="Look up the ISBN").click()
    expect(page.get_by_text("This is no ISBN")).to_be_visible()
    page.get_by_label("ISBN", exact=True).fill("")
    page.get_by_label("Title", exact=True).fill("A book of tests")
    page.get_by_role("button", name="Catalogue the title").click()
    expect(page.get_by_role("status")).to_contain_text("The title is catalogued.")
    page.get_by_label("Barcode", exact=True).fill("37777777")
    page.get_by_role("button", name="Add the copy").click()
    expect(page.get_by_role("status")).to_contain_text("The copy is added.")
    page.get_by_role("link", name="Change 37777777").click()
    page.get_by_role("button", name="Send it to repair").click()
    expect(page.get_by_role("cell", name="Being repaired")).to_be_visible()


def test_a_class_number_is_explained_while_it_is_written(visit, address):
    page = visit("en")
    page.goto(f"{address}/catalogue/records/new")
    page.get_by_label("Class number").press_sequentially("I2")
    expect(page.locator("#class-caption")).to_contain_text("iterature")


def test_an_import_says_that_the_server_is_away_and_goes_on_when_it_is_back(visit, site, address):
    core = site[0].state.core
    with core.database.writing() as session:
        source = Source("long.mrc", "0" * 64, 9, "upload")
        job = imports.create(session, source, Options(dry_run=True), subject="user:librarian", now=core.clock.now())
        imports.claim(session, job.id, "worker-1", core.clock.now())
    page = visit("en", may_complain=True)
    page.goto(f"{address}/catalogue/import/{job.id}")
    away = page.get_by_text("The server does not answer.")
    expect(away).to_be_hidden()
    page.route("**/catalogue/import/*", lambda route: route.abort())
    expect(away).to_be_visible()
    page.unroute("**/catalogue/import/*")
    expect(away).to_be_hidden()
    with core.database.writing() as session:
        imports.cancel(session, job.id, subject="user:librarian", now=core.clock.now())
    expect(page.get_by_role("heading", name="This page does not exist")).to_be_visible()


@pytest.mark.parametrize("which", ["search", "record"])
def test_pages_stay_within_their_weight(visit, address, record, which):
    page = visit()
    page.goto(address + {"search": "/catalogue", "record": record[0]}[which])
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    received = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.reload()
    page.wait_for_load_state("networkidle")
    assert 0 < sum(received) <= 90 * KIB
