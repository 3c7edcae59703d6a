"""What a browser calls itself, in the few words by which a person knows it."""

from __future__ import annotations

BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
"""Of each table the first mark that is found counts: browsers name their ancestors too (RFC 9110 section 10.1.5)."""
SHOWN = 40


def program(agent: str) -> str:
    """`Firefox · Android`; another program by how its own name begins; empty for what has none."""
    found = [next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS)]
    return " · ".join(name for name in found if name) or agent[:SHOWN]
