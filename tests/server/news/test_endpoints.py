"""News over REST."""

from datetime import timedelta

import pytest

from server.deps import Role
from tests.support.library import ManualClock, colleague

URL = "/api/v1/news"
NEWS = {
    "title_zh": "国庆开放时间", "title_en": "Hours in the holidays",
    "text_zh": "一日闭馆。\n\n其余照常。", "text_en": "Closed on the first.\r\n\r\nOpen otherwise.",
    "from_on": "2026-03-02", "until_on": "2026-03-04",
}  # fmt: skip


@pytest.fixture
def staff(client):
    return colleague(client, Role.LIBRARIAN)


def titles(client):
    return [one["title_en"] for one in client.get(URL).json()["news"]]


def test_news_is_shown_from_its_first_day_to_its_last(client, staff, clock: ManualClock):
    client.post(URL, json=NEWS, headers=staff)
    client.post(URL, json=NEWS | {"title_en": "For good", "from_on": "2026-03-03", "until_on": None}, headers=staff)
    assert titles(client) == ["Hours in the holidays"]
    clock.advance(days=2)
    assert titles(client) == ["For good", "Hours in the holidays"]
    clock.at += timedelta(hours=12)  # past midnight in Shanghai, 4 March in Greenwich
    assert titles(client) == ["For good"]
    every = client.get(f"{URL}/all", headers=colleague(client, Role.LIBRARIAN)).json()["news"]
    assert len(every) == 2


def test_news_is_rewritten_and_removed(client, staff):
    made = client.post(URL, json=NEWS, headers=staff)
    assert (made.status_code, made.json()["text_en"]) == (201, "Closed on the first.\n\nOpen otherwise.")
    key = made.json()["id"]
    changed = client.put(f"{URL}/{key}", json=NEWS | {"title_en": "Mended"}, headers=staff)
    assert changed.json()["title_en"] == "Mended"
    assert client.delete(f"{URL}/{key}", headers=staff).status_code == 204
    assert client.delete(f"{URL}/{key}", headers=staff).json()["code"] == "unknown_news"
    assert titles(client) == []


def test_news_needs_both_languages_and_sensible_days(client, staff):
    backwards = client.post(URL, json=NEWS | {"until_on": "2026-03-01"}, headers=staff)
    assert (backwards.status_code, backwards.json()["code"]) == (422, "news_dates")
    for empty in ("title_zh", "text_en"):
        assert client.post(URL, json=NEWS | {empty: "  "}, headers=staff).status_code == 422
