"""Imports and exports over HTTP, with a worker beside the requests."""

import csv
import io
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import colleague, reader
from tests.support.marc import DREAM, EMMA, iso2709, many

URL = "/api/v1/imports"


@pytest.fixture
def desk(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.LIBRARIAN)


def upload(client: TestClient, who: dict[str, str], data: bytes, **fields: str) -> Any:
    return client.post(URL, files={"file": ("titles.mrc", data)}, data=fields, headers=who)


def finished(client: TestClient, who: dict[str, str], data: bytes, **fields: str) -> dict[str, Any]:
    """An import that has ended, by its own word."""
    answer = upload(client, who, data, **fields)
    assert answer.status_code == 202, answer.text
    for _ in range(400):
        told: dict[str, Any] = client.get(answer.headers["Location"], headers=who).json()
        if told["state"] in ("done", "failed"):
            return told
        time.sleep(0.05)
    raise AssertionError(told)


class TestImport:
    def test_a_file_is_imported_and_its_report_is_a_table(self, client: TestClient, desk: dict[str, str]) -> None:
        told = finished(client, desk, iso2709(DREAM) + b"=junk\x1d" + iso2709(EMMA), items="952")
        assert (told["read"], told["new"], told["failed"], told["items"]) == (3, 2, 1, 1)
        assert (told["problems"], told["done_pct"], told["code"]) == ({"no_leader": 1}, 100.0, "")
        answer = client.get(told["report"], params={"language": "zh-CN"}, headers=desk)
        (line,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert (line["record"], line["taken_over"], line["code"]) == ("2", "no", "no_leader")
        assert "头标区" in line["what_is_wrong"]
        found = client.get("/api/v1/records", params={"q": "红楼梦"}).json()
        assert [record["title"] for record in found["records"]] == ["紅樓夢"]
        item = client.get("/api/v1/items/X0001", headers=desk).json()
        assert (item["branch"], item["price"]) == ("main", "35.50")

    def test_a_dry_run_says_what_would_happen(self, client: TestClient, desk: dict[str, str]) -> None:
        told = finished(client, desk, many(3), dry_run="true", overlay="replace")
        assert (told["new"], told["dry_run"], told["overlay"]) == (3, True, "replace")
        assert client.get("/api/v1/records", params={"q": "Title"}).json()["total"] == 0

    def test_a_file_without_a_record_fails(self, client: TestClient, desk: dict[str, str]) -> None:
        told = finished(client, desk, b"<!DOCTYPE html><html>Sign in</html>")
        assert (told["state"], told["code"], told["read"]) == ("failed", "no_records", 0)

    def test_words_for_a_price_and_a_number_in_both_languages(self, client: TestClient, desk: dict[str, str]) -> None:
        plain = [(tag, text) for tag, text in EMMA if tag != "003"]
        other = [("001", "t0002"), ("245", "00$aPersuasion"), ("952", "  $pX0002$g30-45")]
        told = finished(client, desk, iso2709(plain) + iso2709(other), items="952")
        assert (told["new"], told["items"], told["problems"]) == (2, 2, {"bad_price": 1, "number_shared": 1})
        for language, price in (("en", "without a price"), ("zh-CN", "没有价格")):
            answer = client.get(told["report"], params={"language": language}, headers=desk)
            lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
            assert [(line["taken_over"], line["code"]) for line in lines] == [
                ("yes", "bad_price"), ("yes", "number_shared")
            ]  # fmt: skip
            assert price in lines[0]["what_is_wrong"]
        assert client.get("/api/v1/items/X0002", headers=desk).json()["price"] is None

    @pytest.mark.parametrize(
        ("data", "fields", "code"),
        [
            (b"", {}, "import_file"),
            (b"x", {"overlay": "perhaps"}, "malformed_request"),
            (b"x", {"encoding": "latin-1"}, "malformed_request"),
            (b"x", {"items": "nonsense"}, "import_mapping"),
            (b"x", {"branch": "no / such"}, "unknown_branch"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, client: TestClient, desk: dict[str, str], data: bytes, fields: dict[str, str], code: str
    ) -> None:
        answer = upload(client, desk, data, **fields)
        assert (answer.status_code, answer.json()["code"]) == (422, code)

    def test_a_branch_is_one_of_the_librarys(self, client: TestClient, desk: dict[str, str]) -> None:
        boss = colleague(client, Role.ADMINISTRATOR)
        client.put("/api/v1/lending/policy", json={"branches": ["north"]}, headers=boss)
        answer = upload(client, desk, many(1), branch="nroth")
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_branch")
        told = finished(client, desk, iso2709(EMMA), items="952", branch="north")
        assert (told["items"], told["problems"]) == (1, {})

    def test_a_body_that_is_no_form_is_refused(self, client: TestClient, desk: dict[str, str]) -> None:
        for body, kind in ((b"{}", "application/json"), (b"x", "multipart/form-data"), (b"", "text/plain")):
            answer = client.post(URL, content=body, headers=desk | {"Content-Type": kind})
            assert answer.status_code == 422, (kind, answer.text)

    def test_more_than_the_limit_is_refused_before_it_is_read(self, client: TestClient, desk: dict[str, str]) -> None:
        answer = client.post(URL, content=b"", headers=desk | {"Content-Length": str(300 << 20)})
        assert answer.status_code == 413

    def test_an_import_is_forgotten_on_wish(self, client: TestClient, desk: dict[str, str]) -> None:
        told = finished(client, desk, many(2))
        url = f"{URL}/{told['id']}"
        assert [one["id"] for one in client.get(URL, headers=desk).json()["imports"]] == [told["id"]]
        assert client.delete(url, headers=desk).status_code == 204
        assert client.get(url, headers=desk).json()["code"] == "unknown_import"
        assert client.get(told["report"], headers=desk).status_code == 404

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_readers_and_strangers_may_not(self, client: TestClient, method: str) -> None:
        assert client.request(method, URL).status_code == 401
        assert client.request(method, URL, headers=reader(client)).status_code == 403


class TestExport:
    def test_the_catalogue_leaves_as_marcxml_or_iso_2709(self, client: TestClient, desk: dict[str, str]) -> None:
        finished(client, desk, iso2709(DREAM))
        url = "/api/v1/catalogue/export"
        xml = client.get(url, headers=desk)
        assert xml.headers["content-type"] == "application/marcxml+xml"
        assert xml.text.count("<record>") == 13, "twelve catalogued by hand, one imported"
        iso = client.get(url, params={"container": "iso2709"}, headers=desk)
        assert iso.content.endswith(iso2709(DREAM))
        assert client.get(url, headers=reader(client)).status_code == 403
