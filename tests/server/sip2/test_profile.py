"""Terminals in config.toml, and the mistakes one can make there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from carrel.config import ConfigError, load
from server.settings import read_settings
from server.sip2.work.routing import Returned, alert_type, bin_of, media_type, route
from tests.support.library import NOW
from tests.support.sip2 import DATE, profile


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("port = 70000", "'server.sip2.port' = 70000"),
        ('tls_cert = "a.pem"', "tls_cert and tls_key go together"),
        ("idle_close_s = 60", "at least 600"),
        ("prot = 1", "unknown key 'server.sip2.prot'"),
        ('[[server.sip2.terminal]]\nid = "a"', "needs a login, or addresses"),
        ('[[server.sip2.terminal]]\nid = "a"\nlogin = "a"', "a login needs a password"),
        ('[[server.sip2.terminal]]\nid = "a"\naddresses = ["here"]', "'here' is no address or network"),
        ('[[server.sip2.terminal]]\nid = "a"\naddresses = ["10.0.0.1"]\ndue_format = "iso"', "due_format"),
        ('[[server.sip2.terminal]]\nid = "a"\naddresses = ["10.0.0.1"]\nrights = ["fly"]', "rights"),
        ('[[server.sip2.terminal]]\nid = "a"\naddresses = ["10.0.0.1"]\nmedia = { cd = "6" }', "media"),
        (
            '[[server.sip2.terminal]]\nid = "a"\nlogin = "x"\npassword = "hidden"\n'
            '[[server.sip2.terminal]]\nid = "b"\nlogin = "x"\npassword = "hidden"',
            "two terminals have the same login",
        ),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[server.sip2]\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        read_settings(load(file, {}))
    assert sentence in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_the_port_can_be_set_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    assert read_settings(load(tmp_path / "config.toml", {"CARREL_SERVER__SIP2__PORT": "0"})).server.sip2.port == 0


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (DATE, NOW),
        ("20260302   Z043000", NOW),
        ("20260302   z043000", NOW),
        (" " * 18, None),
        ("20261340    999999", None),
        ("", None),
        ("garbage", None),
    ],
)
def test_dates_are_read_in_the_library_s_zone(text: str, at: datetime | None) -> None:
    assert profile().instant(text) == at


def test_dates_are_written_as_the_terminal_prints_them() -> None:
    at = datetime(2026, 12, 21, 15, 59, tzinfo=UTC)
    assert profile().date(at) == profile().due(at) == "20261221    235900"
    assert profile(due_format="%Y-%m-%d").due(at) == "2026-12-21"
    assert profile().due(None) == ""


BINS = [
    {"bin": "9", "when": "exception"},
    {"bin": "8", "when": "hold", "branch": "east"},
    {"bin": "7", "when": "transfer"},
    {"bin": "3", "location": "stacks", "call_from": "I", "call_to": "K"},
    {"bin": "2", "type": "cd"},
    {"bin": "1"},
]


@pytest.mark.parametrize(
    ("item", "kind", "bin_"),
    [
        (Returned("staff", ""), "99", "9"),
        (Returned("hold", "main", held=True), "01", "1"),
        (Returned("transit", "east", held=True), "02", "8"),
        (Returned("transit", "west", held=True), "02", "7"),
        (Returned("transit", "west"), "04", "7"),
        (Returned("shelf", "main", location="stacks", call_number="I247.5"), "00", "3"),
        (Returned("shelf", "main", location="stacks", call_number="k910"), "00", "3"),
        (Returned("shelf", "main", location="stacks", call_number="TP3"), "00", "1"),
        (Returned("shelf", "main", location="stacks"), "00", "1"),
        (Returned("shelf", "main", type="cd"), "00", "2"),
    ],
)
def test_alerts_and_bins_follow_where_an_item_goes(item: Returned, kind: str, bin_: str) -> None:
    rules = profile(bins=BINS).terminal.bins
    assert (alert_type(item), bin_of(item, rules)) == (kind, bin_)
    assert bin_of(item, ()) is None


def test_switches_decide_what_is_told() -> None:
    plain, away = Returned("shelf", "main"), Returned("transit", "east")
    bare = profile().terminal
    assert (route(away, bare).alert, route(away, bare).alert_type, route(away, bare).destination) == (True, None, None)
    assert route(away, profile(alert_only_with_type=True).terminal).alert is False
    asks = profile(send=("alert_type", "destination"), alert_type_always=True, destination_always=True).terminal
    assert (route(plain, asks).alert_type, route(plain, asks).alert, route(plain, asks).destination) == (
        "00",
        False,
        "main",
    )
    assert route(plain, profile(send=("alert_type", "destination")).terminal).destination is None


def test_media_types_are_those_of_the_standard_or_the_library_s_own() -> None:
    assert [media_type(kind, {"score": "003"}) for kind in ("book", "cd", "score", "globe")] == [
        "001",
        "006",
        "003",
        "000",
    ]
