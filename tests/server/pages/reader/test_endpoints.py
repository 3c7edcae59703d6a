import re
import shutil
import struct

import pytest
from fastapi.testclient import TestClient

from server.catalogue.covers import Covers
from server.pages.reader.views import cover
from tests.support.pages_app import READER, STAFF, build


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled")
    build(folder).state.core.database.close()
    return folder / "server.db"


@pytest.fixture
def app(filled, tmp_path):
    shutil.copy(filled, tmp_path)
    return build(tmp_path)


@pytest.fixture
def client(app):
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False, headers={"Accept-Language": "en"})


def sign_in(client, who, **more):
    return client.post("/sign-in", data={"user": who[0], "password": who[1], **more})


def forms(page):
    """Each loan's renewal form: (request_id, [barcodes])."""
    found = re.findall(r'<form action="/my/renewals".*?</form>', page, re.DOTALL)
    return [
        (re.search(r'name="request_id" value="([^"]+)"', f)[1], re.findall(r'name="item" value="(\d+)"', f))
        for f in found
    ]


def test_the_catalogue_is_searched_without_signing_in(client):
    page = client.get("/search", params={"q": "红楼梦"}).text
    assert re.search(r'<p class="title" lang="zh"><a href="/titles/\d+">红楼梦</a></p>', page)
    assert "1 title found" in page
    assert re.search(r"\d cop(y|ies) available|All copies are on loan", page)


def test_a_phones_home_screen_gets_pictures_of_the_sizes_that_it_is_told(client):
    assert "default-src 'self'" in client.get("/service-worker.js").headers["content-security-policy"]
    for icon in client.get("/manifest.webmanifest").json()["icons"]:
        picture = client.get(icon["src"])
        assert picture.headers["content-type"] == icon["type"]
        if icon["type"] == "image/png":
            width, height = struct.unpack(">II", picture.content[16:24])  # PNG's first chunk, IHDR
            assert icon["sizes"] == f"{width}x{height}"


@pytest.mark.parametrize(
    ("language", "room", "floor"), [("en", "Reading room", "Ground floor"), ("zh-CN", "阅览室", "一层")]
)
def test_a_title_says_in_words_and_on_the_floors_plan_where_it_stands(client, language, room, floor):
    title = re.search(r'href="/titles/(\d+)"', client.get("/search", params={"q": "红楼梦"}).text)[1]
    page = client.get(f"/titles/{title}", headers={"Accept-Language": language}).text
    copies, plan = page.split('id="copies"')[1].split('<ul class="plan">')
    assert f'<p class="by">{room}</p>' in copies
    assert floor in copies
    assert re.search(rf'is-here"><h3>{room}</h3>', plan)
    assert plan.count("is-here") == 1


def test_nothing_found_says_what_to_try(client):
    assert "Nothing found" in client.get("/search", params={"q": "zzzzzz"}).text


def test_a_title_typed_nearly_right_is_shown_as_near(client):
    page = client.get("/search", params={"q": "洛阳伽蓝纪"}).text
    assert "No exact match; showing near ones." in page
    assert "洛阳伽蓝记" in page


def test_results_are_narrowed_by_links_and_widened_again(client):
    page = client.get("/search", params={"q": "the"}).text
    (link,) = re.findall(r'href="(/search\?q=the&amp;available=1)"', page)
    narrowed = client.get(link.replace("&amp;", "&")).text
    assert '<input type="hidden" name="available" value="1">' in narrowed
    assert re.search(r'href="/search\?q=the" class="chosen"', narrowed)
    assert "Nothing found" in client.get("/search?language=xx").text
    assert client.get("/search?decade=x&class=%01&branch=%27").status_code == 200
    assert client.get("/search?class=%00").status_code == 422, "no database looks for that"


def test_a_title_tells_where_its_copies_are(client):
    page = client.get("/search", params={"q": "红楼梦"}).text
    (address,) = set(re.findall(r'href="(/titles/\d+)"', page))
    title = client.get(address).text
    assert "<h1" in title
    assert re.search(r"On the shelf|On loan", title)
    assert client.get("/titles/999999").status_code == 404


def test_results_come_in_pages_that_keep_the_question(client):
    page = client.get("/search", params={"q": "the"}).text
    assert 'rel="next" href="/search?q=the&amp;page=2"' in page
    assert 'rel="prev"' in client.get("/search?q=the&page=2").text


@pytest.mark.parametrize("query", ["<script>alert(1)</script>", "%_\\", "'; DROP TABLE item; --", "\x00", "a" * 200])
def test_what_is_typed_is_only_ever_text(client, query):
    answer = client.get("/search", params={"q": query})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_my_loans_ask_for_a_sign_in_and_lead_back(client):
    answer = client.get("/my/loans")
    assert answer.headers["location"] == "/sign-in?next=/my/loans"
    assert 'name="next" value="/my/loans"' in client.get("/sign-in?next=/my/loans").text
    assert sign_in(client, READER, next="/my/loans").headers["location"] == "/my/loans"


def test_after_signing_in_nobody_is_sent_to_another_site(client):
    assert 'name="next" value="/"' in client.get("/sign-in?next=//evil.test").text
    assert sign_in(client, STAFF, next="https://evil.test").headers["location"] == "/"


def test_a_wrong_pin_is_told_beside_the_form_and_the_name_is_kept(client):
    answer = sign_in(client, (READER[0], "9999"))
    assert answer.status_code == 401
    assert "is wrong" in answer.text
    assert f'value="{READER[0]}"' in answer.text
    assert "9999" not in answer.text
    assert "carrel_session" not in answer.headers.get("set-cookie", "")


def test_too_many_wrong_pins_lock_for_a_while(client):
    for _ in range(5):
        sign_in(client, (READER[0], "9999"))
    answer = sign_in(client, READER)
    assert answer.status_code == 429
    assert "Too many wrong attempts" in answer.text


def test_an_empty_form_is_a_wrong_sign_in_and_no_error_page(client):
    assert client.post("/sign-in", data={}).status_code == 401


def test_a_reader_sees_loans_due_soonest_first(client):
    sign_in(client, READER)
    page = client.get("/my/loans").text
    assert "3 items on loan" in page
    assert page.index("6 days overdue") < page.index("2 days left") < page.index("25 days left")
    assert "This loan is overdue" in page


def test_one_loan_is_renewed_without_scripts(client):
    sign_in(client, READER)
    before = forms(client.get("/my/loans").text)
    request_id, items = before[0]
    page = client.post("/my/renewals", data={"request_id": request_id, "item": items}).text
    assert page.count("renewed until") == 1
    assert "32 days left" in page


def test_all_is_renewed_at_once_and_what_is_not_says_why(client):
    sign_in(client, READER)
    assert 'action="/my/renewals/all"' in client.get("/my/loans").text
    page = client.post("/my/renewals/all", data={"request_id": "r-all"}).text
    assert page.count("renewed until") == 2
    assert page.count("This loan is overdue. Please bring the item back.") == 2  # in the answer, and at the loan


def test_pressing_twice_renews_once(client):
    sign_in(client, READER)
    request_id, items = forms(client.get("/my/loans").text)[0]
    pages = [client.post("/my/renewals", data={"request_id": request_id, "item": items}).text for _ in range(2)]
    assert [page.count("renewed until") for page in pages] == [1, 1]
    assert "32 days left" in pages[1]


def test_a_refused_renewal_says_why(client):
    sign_in(client, READER)
    page = client.post("/my/renewals", data={"request_id": "r-1", "item": ["30000001"]}).text
    assert "notice outcomes warn" in page


@pytest.mark.parametrize(
    "data", [{}, {"request_id": "x"}, {"request_id": "x y", "item": "1"}, {"request_id": "x", "item": "<b>"}]
)
def test_a_renewal_form_that_was_tampered_with_is_refused(client, data):
    sign_in(client, READER)
    assert client.post("/my/renewals", data=data).status_code == 422


def test_nobody_renews_without_a_card(client):
    assert client.post("/my/renewals", data={"request_id": "x", "item": "30000201"}).status_code == 303
    sign_in(client, STAFF)
    assert "You are signed in as staff" in client.get("/my/loans").text


def test_what_a_reader_sees_is_kept_by_no_cache(client):
    assert client.get("/search").headers["cache-control"] == "no-cache"
    sign_in(client, READER)
    assert client.get("/my/loans").headers["cache-control"] == "no-store"


def test_the_answer_to_a_form_leads_to_its_page_in_the_other_language(client):
    sign_in(client, READER)
    data = {"request_id": "r-2", "item": ["30000001"]}
    page = client.post("/my/renewals", data=data, headers={"Referer": "http://127.0.0.1/my/loans?x=1"}).text
    assert 'href="/my/loans?lang=zh-CN"' in page


def test_signing_out_ends_the_session(client):
    sign_in(client, READER)
    token = client.cookies["carrel_session"]
    client.post("/sign-out")
    client.cookies.set("carrel_session", token)
    assert client.get("/my/loans").status_code == 303


def test_a_title_with_a_picture_shows_it_wherever_it_is_listed(app, client, tmp_path):
    sign_in(client, READER)
    title = re.search(r'href="/titles/(\d+)"', client.get("/search", params={"q": "红楼梦"}).text)[1]
    (tmp_path / f"title-{title}.png").write_bytes(b"picture")
    app.state.covers = Covers(tmp_path)
    shown = f'aria-hidden="true">红<img src="/covers/title-{title}.png" alt="" loading="lazy"></span>'
    assert shown in client.get("/search", params={"q": "红楼梦"}).text
    assert shown in client.get(f"/titles/{title}").text, "what is drawn shows where the picture cannot be fetched"
    assert client.get("/my/loans").text.count('class="cover') > 0
    picture = client.get(f"/covers/title-{title}.png")
    assert (picture.content, picture.headers["content-type"]) == (b"picture", "image/png")
    assert client.get("/covers/server.db").status_code == 404


def test_a_title_always_has_the_same_cover():
    assert cover("The Odyssey") == cover("The Odyssey")
    assert cover("The Odyssey").letter == "O"
    assert cover("红楼梦").letter == "红"
    assert cover("…").letter == "?"
