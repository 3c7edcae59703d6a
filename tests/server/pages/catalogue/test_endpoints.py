"""The cataloguing pages over HTTP, with the real catalogue behind them."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import BOOKS, MISSING, colleague, reader
from tests.support.marc import DREAM, EMMA, iso2709

PAGE = {"Accept": "text/html", "Accept-Language": "en"}
TITLE = {"title": "呐喊", "author": "鲁迅", "language": "zh", "kind": "book", "class_number": "I210.6"}
COPY = {"barcode": "39999999", "branch": "main", "type": "book", "tags": "1", "for_loan": "on", "ready": "on"}


@pytest.fixture
def desk(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.LIBRARIAN) | PAGE


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1])).replace("&#39;", "'")


def form(page: str, action: str) -> dict[str, str]:
    """What a form would send as it stands, without ticks and choices."""
    inside = page.split(f'action="{action}"')[1].split("</form>", maxsplit=1)[0]
    return dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*? value="([^"]*)"', inside)) | {"kind": "book"}


def item(client: TestClient, who: dict[str, str], barcode: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/items/{barcode}", headers=who).json()
    return found


def test_only_librarians_and_administrators_come_in(client: TestClient) -> None:
    answer = client.get("/catalogue", follow_redirects=False)
    assert answer.headers["location"] == "/sign-in?next=/catalogue"
    for who in (reader(client), colleague(client, Role.DUTY_STAFF)):
        assert client.get("/catalogue", headers=who | PAGE).status_code == 403
        assert client.post("/catalogue/records", data=TITLE, headers=who | PAGE).status_code == 403
        assert 'href="/catalogue"' not in client.get("/", headers=who | PAGE).text
    boss = colleague(client, Role.ADMINISTRATOR) | PAGE
    assert 'href="/catalogue"' in client.get("/catalogue", headers=boss).text


def test_titles_are_found_by_words_filters_and_barcodes(client: TestClient, desk: dict[str, str]) -> None:
    page = client.get("/catalogue", params={"q": "Book 3", "branch": "main"}, headers=desk)
    assert "Book 3" in text(page)
    assert 'href="/catalogue?q=Book+3"' in page.text, "a filter can be taken off"
    assert "Nothing found" in text(client.get("/catalogue", params={"q": "zzzz"}, headers=desk))
    answer = client.get("/catalogue", params={"q": BOOKS[2]}, headers=desk, follow_redirects=False)
    assert answer.headers["location"] == f"/catalogue/records/{item(client, desk, BOOKS[2])['record_id']}#copies"


def test_titles_that_readers_do_not_find_have_a_list_of_their_own(client: TestClient, desk: dict[str, str]) -> None:
    assert "Hidden from readers" not in text(client.get("/catalogue", headers=desk))
    assert "Readers find every title" in text(client.get("/catalogue/hidden", headers=desk))
    ids = [item(client, desk, barcode)["record_id"] for barcode in BOOKS[:2]]
    for record in ids:
        client.patch(f"/api/v1/records/{record}", json={"suppressed": True}, headers=desk)
    assert "Hidden from readers (2)" in text(client.get("/catalogue", headers=desk))
    page = client.get("/catalogue/hidden", headers=desk)
    assert "do not find 2 titles" in text(page)
    places = [page.text.index(f'href="/catalogue/records/{record}"') for record in ids]
    assert places == sorted(places, reverse=True), "the newest first"
    assert "Page 1" not in text(page)
    client.patch(f"/api/v1/records/{ids[0]}", json={"suppressed": False}, headers=desk)
    assert "do not find 1 title," in text(client.get("/catalogue/hidden", headers=desk))
    beyond = client.get("/catalogue/hidden", params={"page": 2}, headers=desk)
    assert "do not find 1 title," in text(beyond), "what is left is shown"


def test_a_form_that_comes_twice_is_carried_out_once(client: TestClient, desk: dict[str, str]) -> None:
    assert form(client.get("/catalogue/records/new", headers=desk).text, "/catalogue/records")["request_id"]

    def twice(address: str, told: dict[str, str]) -> Any:
        first, again = (client.post(address, data=told | {"request_id": "once"}, headers=desk) for _ in range(2))
        assert (again.status_code, again.url, text(again)) == (200, first.url, text(first))
        return again

    page = twice("/catalogue/records", TITLE)
    assert "request_id" in form(page.text, f"{page.url.path}/items")
    home = page.url.path
    assert "with something else in it" in text(
        client.post("/catalogue/records", data=TITLE | {"title": "彷徨", "request_id": "once"}, headers=desk)
    )
    copy = COPY | {"request_id": "copy"}
    assert {client.post(f"{home}/items", data=copy, headers=desk).status_code for _ in range(2)} == {200}
    other = client.post(f"{home}/items", data=copy | {"barcode": "39999998"}, headers=desk)
    assert (other.status_code, "with something else in it" in text(other)) == (409, True)
    gone = {"original": COPY["barcode"], "action": "missing", "note": "", "request_id": "gone"}
    assert {client.post("/catalogue/copies/move", data=gone, headers=desk).status_code for _ in range(2)} == {200}


class TestTitles:
    def test_one_is_catalogued_corrected_and_shown_as_marc(self, client: TestClient, desk: dict[str, str]) -> None:
        page = client.post("/catalogue/records", data=TITLE, headers=desk)
        assert "The title is catalogued." in text(page)
        assert "$a 呐喊" in page.text
        assert re.search(r'id="class-caption"[^>]*>\w', page.text), "what the class number stands for"
        address = page.url.path
        told = form(page.text, address)
        page = client.post(address, data=told | {"title": "呐喊 新版", "subjects": "Stories\nChina"}, headers=desk)
        assert "The title is saved." in text(page)
        assert "Stories\nChina</textarea>" in page.text
        looked_up = form(client.post("/catalogue/fill", data=told, headers=desk).text, address)
        assert looked_up["seen"] == told["seen"], "what was shown first"
        answer = client.post(address, data=told | {"title": "Another", "publisher": "人民"}, headers=desk)
        assert answer.status_code == 409
        assert "Somebody else has changed this meanwhile." in text(answer)
        assert "Stories\nChina</textarea>" in answer.text
        again = form(answer.text, address) | {"subjects": "Stories\nChina"}
        assert (again["title"], again["publisher"]) == ("Another", "人民"), "what was typed is kept"
        page = client.post(address, data=again, headers=desk)
        assert "The title is saved." in text(page)
        assert all(words in page.text for words in ("Another", "人民", "Stories\nChina</textarea>"))

    @pytest.mark.parametrize(
        ("changes", "sign"),
        [
            ({"title": ""}, "Write the title"),
            ({"isbn": "9787020002208"}, "This is no ISBN"),
            ({"language": "Chinese!"}, "Write a code of two or three letters"),
        ],
    )
    def test_a_wrong_field_is_told_where_it_is(
        self, client: TestClient, desk: dict[str, str], changes: dict[str, str], sign: str
    ) -> None:
        answer = client.post("/catalogue/records", data=TITLE | changes, headers=desk)
        assert answer.status_code == 422
        assert sign in text(answer)
        assert 'value="鲁迅"' in answer.text
        record = f"/catalogue/records/{item(client, desk, BOOKS[0])['record_id']}"
        page = client.get(record, headers=desk).text
        answer = client.post(record, data=form(page, record) | changes, headers=desk)
        assert (answer.status_code, sign in text(answer)) == (422, True)

    def test_looking_up_an_isbn_fills_in_what_is_empty(self, client: TestClient, desk: dict[str, str]) -> None:
        isbn = "978-7-02-000220-7"
        client.post("/catalogue/records", data=TITLE | {"isbn": isbn}, headers=desk)
        page = client.post("/catalogue/fill", data={"isbn": isbn, "author": "Lu Xun", "kind": "book"}, headers=desk)
        assert "The library has this ISBN already: 呐喊" in text(page)
        assert 'value="呐喊"' in page.text
        assert 'value="Lu Xun"' in page.text
        page = client.post("/catalogue/fill", data={"isbn": "0141439580", "kind": "book"}, headers=desk)
        assert "No record is known for this ISBN." in text(page)
        answer = client.post("/catalogue/fill", data={"isbn": "12345", "kind": "book"}, headers=desk)
        assert (answer.status_code, "This is no ISBN" in text(answer)) == (422, True)
        answer = client.post("/catalogue/adopt", data={"isbn": "0141439580"}, headers=desk)
        assert (answer.status_code, "No record is known" in text(answer)) == (409, True)

    def test_a_class_number_is_explained_while_it_is_written(self, client: TestClient, desk: dict[str, str]) -> None:
        asked = {"class_number": "I2"}
        english = client.get("/fragments/class-caption", params=asked, headers=desk)
        chinese = client.get("/fragments/class-caption", params=asked, headers=desk | {"Accept-Language": "zh-CN"})
        assert "文学" in chinese.text
        assert "iterature" in english.text

    def test_one_that_does_not_exist_is_no_page(self, client: TestClient, desk: dict[str, str]) -> None:
        assert client.get("/catalogue/records/999999", headers=desk).status_code == 404
        assert client.post("/catalogue/records/999999/items", data=COPY, headers=desk).status_code == 404


class TestCopies:
    def record(self, client: TestClient, desk: dict[str, str], barcode: str = BOOKS[0]) -> str:
        return f"/catalogue/records/{item(client, desk, barcode)['record_id']}"

    def test_one_is_added_with_the_title_s_call_number(self, client: TestClient, desk: dict[str, str]) -> None:
        page = client.post("/catalogue/records", data=TITLE | {"call_number": "I210/9"}, headers=desk)
        page = client.post(f"{page.url.path}/items", data=COPY | {"price": "35.50"}, headers=desk)
        assert "The copy is added." in text(page)
        found = item(client, desk, "39999999")
        assert (found["call_number"], found["price"], found["status"]) == ("I210/9", "35.50", "on_shelf")

    def test_a_barcode_that_is_taken_is_refused_at_its_field(self, client: TestClient, desk: dict[str, str]) -> None:
        address = self.record(client, desk)
        answer = client.post(f"{address}/items", data=COPY | {"barcode": BOOKS[1]}, headers=desk)
        assert (answer.status_code, "Another copy has this barcode." in text(answer)) == (409, True)
        answer = client.post(f"{address}/items", data=COPY | {"price": "cheap"}, headers=desk)
        assert (answer.status_code, "Write an amount such as 35.50." in text(answer)) == (422, True)
        told = COPY | {"original": BOOKS[0], "barcode": BOOKS[1]}
        answer = client.post("/catalogue/copies", data=told, headers=desk)
        assert (answer.status_code, "Another copy has this barcode." in text(answer)) == (409, True)

    def test_one_is_corrected(self, client: TestClient, desk: dict[str, str]) -> None:
        page = client.get(self.record(client, desk), params={"copy": BOOKS[0]}, headers=desk).text
        told = form(page, "/catalogue/copies") | {"location": "hall 2", "barcode": "38888888", "for_loan": ""}
        page = client.post("/catalogue/copies", data=told, headers=desk)
        assert "The copy is saved." in text(page)
        found = item(client, desk, "38888888")
        assert (found["location"], found["for_loan"]) == ("hall 2", False)
        moved = told | {"original": "38888888", "record_id": "99"}
        page = client.post("/catalogue/copies", data=moved, headers=desk)
        assert "There is no such title in the catalogue." in text(page)
        assert "Book 2" in text(client.post("/catalogue/copies", data=moved | {"record_id": "2"}, headers=desk))
        assert item(client, desk, "38888888")["record_id"] == 2
        assert client.post("/catalogue/copies", data=told, headers=desk).status_code == 404

    def test_a_branch_that_the_library_does_not_have_is_told_at_its_field(
        self, client: TestClient, desk: dict[str, str]
    ) -> None:
        boss = colleague(client, Role.ADMINISTRATOR)
        policy = client.get("/api/v1/lending", headers=boss).json()["policy"] | {"branches": ["main", "north"]}
        assert client.put("/api/v1/lending/policy", json=policy, headers=boss).status_code < 300
        address = self.record(client, desk)
        told = form(client.get(address, params={"copy": BOOKS[0]}, headers=desk).text, "/catalogue/copies")
        for answer in (
            client.post("/catalogue/copies", data=told | {"branch": "nroth"}, headers=desk),
            client.post(f"{address}/items", data=COPY | {"branch": "nroth"}, headers=desk),
        ):
            assert (answer.status_code, "There is no such branch." in text(answer)) == (409, True)
            assert 'value="nroth"' in answer.text
            assert re.search(r'branch-error">', answer.text)
        assert item(client, desk, BOOKS[0])["branch"] == "main"
        page = client.get(address, params={"copy": BOOKS[0]}, headers=desk).text
        where = re.findall(r'id="move-branch" name="branch">(.*?)</select>', page)
        assert where == ['<option value="north">north</option>'], "it can be sent there, and not where it is"
        told = {"original": BOOKS[0], "action": "send", "note": ""}
        refused = client.post("/catalogue/copies/move", data=told | {"branch": "nroth"}, headers=desk)
        assert (refused.status_code, "There is no such branch." in text(refused)) == (409, True)
        client.post("/catalogue/copies/move", data=told | {"branch": "north"}, headers=desk)
        assert item(client, desk, BOOKS[0])["transit_to"] == "north"

    def test_two_correct_one_at_once(self, client: TestClient, desk: dict[str, str]) -> None:
        page = client.get(self.record(client, desk), params={"copy": BOOKS[0]}, headers=desk).text
        told = form(page, "/catalogue/copies")
        client.post("/catalogue/copies", data=told | {"location": "hall 2"}, headers=desk)
        client.post("/catalogue/copies", data=told | {"note": "torn"}, headers=desk)
        found = item(client, desk, BOOKS[0])
        assert (found["location"], found["note"]) == ("hall 2", "torn")
        answer = client.post("/catalogue/copies", data=told | {"location": "hall 3"}, headers=desk)
        assert answer.status_code == 409
        assert "Somebody else has changed this meanwhile." in text(answer)
        assert item(client, desk, BOOKS[0])["location"] == "hall 2"
        again = form(answer.text, "/catalogue/copies")
        assert (again["location"], again["note"]) == ("hall 3", "torn"), "what was typed is kept"
        client.post("/catalogue/copies", data=again, headers=desk)
        assert item(client, desk, BOOKS[0])["location"] == "hall 3"

    def test_its_life_goes_on_by_the_steps_that_its_state_allows(
        self, client: TestClient, desk: dict[str, str]
    ) -> None:
        page = text(client.get(self.record(client, desk, MISSING), params={"copy": MISSING}, headers=desk))
        assert "It is found" in page
        assert "It is ready" not in page
        told = {"original": MISSING, "action": "found", "note": "behind the shelf"}
        page = text(client.post("/catalogue/copies/move", data=told, headers=desk))
        assert "The copy's state is changed." in page
        assert "behind the shelf" in page
        assert item(client, desk, MISSING)["status"] == "on_shelf"
        answer = client.post("/catalogue/copies/move", data=told, headers=desk)
        assert (answer.status_code, "cannot be done with a copy" in text(answer)) == (409, True)
        assert client.post("/catalogue/copies/move", data=told | {"action": "burn"}, headers=desk).status_code == 422
        client.post("/catalogue/copies/move", data=told | {"action": "withdraw"}, headers=desk)
        assert "Withdrawn" in text(client.get(self.record(client, desk, MISSING), headers=desk)), "it can be taken back"

    def test_labels_are_a_pdf_or_say_what_is_wrong(self, client: TestClient, desk: dict[str, str]) -> None:
        told = {"barcodes": [BOOKS[0], BOOKS[1]], "kind": "spine", "grid": "24", "start": "3"}
        answer = client.post("/catalogue/labels", data=told, headers=desk)
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")
        for changes, status, sign in (
            ({"barcodes": "nobody-has-this"}, 409, "No copy has these barcodes: nobody-has-this"),
            ({"barcodes": " "}, 422, "Write a barcode a line:"),
            ({"start": "none"}, 422, "1 field needs another look."),
            ({"start": "none"}, 422, "Write a whole number; the first label of the sheet is 1."),
            ({"start": "0"}, 422, "Write a whole number; the first label of the sheet is 1."),
            ({"start": "25"}, 409, "This sheet has 24 labels."),
            ({"start": "801"}, 409, "This sheet has 24 labels."),
            ({"barcodes": "what?"}, 422, "Write a barcode a line:"),
            ({"barcodes": "1 " * 1001}, 422, "These are 1001 barcodes. At most 1000 are printed at once"),
        ):
            answer = client.post("/catalogue/labels", data=told | changes, headers=desk)
            assert (answer.status_code, sign in text(answer)) == (status, True), changes
        assert client.get("/catalogue/labels", headers=desk).status_code == 200


class TestImports:
    def ended(self, client: TestClient, desk: dict[str, str], address: str) -> Any:
        """The page of an import that has ended."""
        for _ in range(600):
            page = client.get(address, headers=desk)
            if "every 2s" not in page.text:
                return page
        raise AssertionError(text(page))

    def sent(self, client: TestClient, desk: dict[str, str], data: bytes, **fields: str) -> Any:
        return client.post("/catalogue/import", files={"file": ("titles.mrc", data)}, data=fields, headers=desk)

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"%PDF-1.7\n1 0 obj\x1d<<>>\x1dendobj", "This is no MARC file: there is no record in it. Export the"),
            (iso2709(EMMA)[:200], "No record of this file can be imported. What was wrong is told below"),
        ],
    )
    def test_a_file_without_a_record_says_what_to_send(
        self, client: TestClient, desk: dict[str, str], data: bytes, said: str
    ) -> None:
        page = self.ended(client, desk, self.sent(client, desk, data).url.path)
        assert said in text(page)
        assert "Import for real" not in text(page)

    def test_a_file_is_tried_and_then_imported_without_sending_it_again(
        self, client: TestClient, desk: dict[str, str]
    ) -> None:
        data = iso2709(DREAM) + b"=junk\x1d" + iso2709(EMMA)
        tried = self.ended(client, desk, self.sent(client, desk, data, items="952").url.path)
        assert "Tried only: nothing of this is stored." in text(tried)
        assert "Import 2 records" in text(tried)
        assert "These bytes are no MARC record" in text(tried)
        assert f"/api/v1{tried.url.path.removeprefix('/catalogue').replace('import', 'imports')}/report" in tried.text
        assert client.get("/api/v1/records", params={"q": "Emma"}).json()["total"] == 0
        page, resent = (
            client.post(f"{tried.url.path}/run", data={"overlay": "merge", "request_id": "run"}, headers=desk)
            for _ in range(2)
        )
        assert resent.url == page.url, "whoever gets no answer is not told to send the file again"
        done = self.ended(client, desk, page.url.path)
        assert "Imported into the catalogue." in text(done)
        assert client.get("/api/v1/records", params={"q": "Emma"}).json()["total"] == 1
        again = client.post(f"{tried.url.path}/run", data={"overlay": "merge"}, headers=desk)
        assert (again.status_code, "Send it again." in text(again)) == (409, True)
        assert client.post(f"{done.url.path}/run", headers=desk).status_code == 409, "it was no dry run"
        listed = text(client.get("/catalogue/import", headers=desk))
        assert listed.count("titles.mrc") == 2
        assert "The report is forgotten." in text(client.post(f"{tried.url.path}/cancel", headers=desk))
        assert client.get(tried.url.path, headers=desk).status_code == 404

    @pytest.mark.parametrize(
        ("data", "fields", "sign"),
        [
            (b"", {}, "Send one MARC file"),
            (b"x", {"items": "nonsense"}, "The holdings mapping cannot be read."),
            (b"x", {"overlay": "perhaps"}, "One of the choices is not possible."),
            (b"x", {"branch": "no / such"}, "There is no such branch."),
        ],
    )
    def test_what_makes_no_sense_is_told_on_the_form(
        self, client: TestClient, desk: dict[str, str], data: bytes, fields: dict[str, str], sign: str
    ) -> None:
        answer = self.sent(client, desk, data, **fields)
        assert (answer.status_code, sign in text(answer)) == (422, True)

    def test_nobody_else_sends_files(self, client: TestClient) -> None:
        assert self.sent(client, reader(client) | PAGE, iso2709(EMMA)).status_code == 403
        answer = client.post("/catalogue/import", files={"file": ("x", b"x")}, follow_redirects=False)
        assert answer.headers["location"].startswith("/sign-in")


def test_the_pages_are_in_chinese_too(client: TestClient, desk: dict[str, str]) -> None:
    chinese = desk | {"Accept-Language": "zh-CN"}
    for path, sign in (("/catalogue", "编目"), ("/catalogue/records/new", "编入目录"), ("/catalogue/import", "试运行")):
        assert sign in client.get(path, headers=chinese).text
