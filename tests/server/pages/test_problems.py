import pytest
from fastapi.testclient import TestClient

from tests.support.pages_app import build

BROWSER = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": "en"}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    app = build(tmp_path_factory.mktemp("pages"))

    @app.get("/api/broken")
    @app.get("/broken")
    def broken():
        raise RuntimeError("inner secrets")

    return TestClient(app, base_url="http://127.0.0.1")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing", 404, "This page does not exist"),
        ("/search?page=0", 404, "the address was mistyped"),
        ("/patrons/abc", 404, "the address was mistyped"),
        ("/my/renewals", 405, "Forms are sent to this address. Nothing was done now."),
        ("/broken", 500, "on our side"),
    ],
)
def test_a_browser_gets_a_page_that_leads_on(client, path, status, words):
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == status
    assert "Content-Security-Policy" in answer.headers
    assert words in answer.text
    assert 'href="/search"' in answer.text
    assert "secrets" not in answer.text


def test_an_address_of_forms_only_leads_to_the_page_above_it(client):
    answer = client.get("/patrons/7/fees/3/waive?lang=en", headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/patrons/7?lang=en")


def test_programs_and_scripts_get_the_problem_itself(client):
    assert client.get("/nothing").json()["code"] == "not_found"
    assert client.get("/api/broken", headers=BROWSER).json()["code"] == "internal_error"
    assert client.get("/nothing", headers=BROWSER | {"HX-Request": "true"}).json()["code"] == "not_found"


def test_pages_that_are_well_pass_unchanged(client):
    assert client.get("/search", headers=BROWSER).status_code == 200
