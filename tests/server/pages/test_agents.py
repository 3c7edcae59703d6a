"""What browsers call themselves, as a person knows them."""

from __future__ import annotations

import pytest

from server.pages.agents import program

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {WEBKIT}"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME}", "Chrome · Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Edg/141.0.0.0", "Edge · Windows"),
        (f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {CHROME}", "Chrome · Android"),
        (f"Mozilla/5.0 (Linux; Android 14; Mate 60; HarmonyOS) {CHROME}", "Chrome · HarmonyOS"),
        (f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", "Safari · iPhone"),
        (f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.60", "WeChat · iPhone"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.5 Safari/605.1.15", "Safari · macOS"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 120, "x" * 40),
        ("", ""),
    ],
)
def test_a_person_knows_the_program(agent: str, words: str) -> None:
    assert program(agent) == words
