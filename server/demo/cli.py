"""`carrel demo facts [--json]`: what a person or a program needs to know to try the running demo library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from carrel.config import DEFAULT_FILE, Document, load
from server.commands import run
from server.demo.facts import facts, terminal
from server.settings import read_settings

cli = typer.Typer(add_completion=False, help="The demo library.", no_args_is_help=True)


@cli.callback()
def _group() -> None:
    """Keep `facts` a command of its own."""


@cli.command("facts")
def show(
    config: Annotated[Path, typer.Option("--config", help="The configuration file.")] = Path(DEFAULT_FILE),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Addresses, accounts, cards, items and ports of the demo library."""
    found = gather(load(config))
    print(json.dumps(found, ensure_ascii=False) if as_json else _for_people(found))


def gather(doc: Document) -> dict[str, Any]:
    """All facts; `ports` is null while no virtual building runs, `sip2` where none is served. Raises ConfigError."""
    settings = read_settings(doc)
    kiosk = next(iter(doc.data.get("gateway", {}).get("kiosk", [])), None)
    dashboard = f"http://{settings.server.host}:{settings.server.port}"
    return {
        "dashboard": dashboard,
        "kiosk": f"http://{kiosk.get('host', '127.0.0.1')}:{kiosk['port']}" if kiosk and "port" in kiosk else None,
        "api": f"{dashboard}/api/v1",
        **facts(settings),
        "sip2": terminal(settings),
        "rooms": [room.id for room in settings.common.rooms],
        "ports": _ports(settings.common.var / "run" / "sim.json"),
    }


def _ports(file: Path) -> Any:
    """What the virtual building printed when its ports were open."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _for_people(found: dict[str, Any]) -> str:
    lines = [f"{name:10} {found[name]}" for name in ("dashboard", "kiosk", "api")]
    lines += [f"account    {a['user']} / {a['password']} ({a['role']})" for a in found["accounts"]]
    lines += [f"card       {p['card']} PIN {p['pin']} {p['name']}" for p in found["patrons"]]
    if found["sip2"]:
        lines.append("SIP2       {host}:{port} {login} / {password}, institution {institution}".format(**found["sip2"]))
    lent = sum(item["on_loan"] for item in found["items"])
    lines.append(f"items      {found['items'][0]['barcode']} .. {found['items'][-1]['barcode']}, {lent} on loan")
    lines.append(f"rooms      {', '.join(found['rooms'])}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """`carrel demo`."""
    return run(cli, "carrel demo", argv)
