"""`carrel sim ...`: runs the virtual building, and speaks to a running one through its control socket."""

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any, Never

from firmware_sim.building import OUTDOORS
from firmware_sim.control import NoBuildingError, Request, call
from firmware_sim.settings import SettingsError, settings
from firmware_sim.zigbee import cli as zigbee_cli


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> Never:
        self.exit(2, f"{self.prog}: {message} (try {self.prog} --help)\n")


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 after one sentence on stderr."""
    try:
        options = _parser().parse_args(argv)
    except SystemExit as done:  # argparse has printed help or the sentence
        return int(done.code or 0)
    try:
        if options.command == "serve":
            _serve(options)
        else:
            _speak(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (SettingsError, NoBuildingError, ValueError, OSError) as error:
        print(f"carrel sim: {_sentence(error)}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="carrel sim", description="The virtual building: rooms, devices and readers on real wires.")
    common = _Parser(add_help=False)
    common.add_argument("--control", metavar="HOST:PORT", help="control socket of the virtual building")
    common.add_argument("--config", metavar="FILE", type=Path, help="config.toml (default: ./config.toml if there)")
    verbs = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=text, description=text, parents=[common])

    one = verb("set", "Set a room's present state; lux is the daylight with the curtain open, until lux=auto.")
    one.add_argument("room", metavar="ROOM")
    one.add_argument("values", metavar="temp=C|rh=PERCENT|lux=LUX|lux=auto", nargs="+")
    for name, text in (("place", "Lay items or cards on a pad."), ("remove", "Take items or cards off a pad.")):
        one = verb(name, text)
        one.add_argument("pad", metavar="PAD")
        one.add_argument("names", metavar="ITEM|CARD", nargs="+")
    one = verb("contact", "Open or close a contact, such as io-1.smoke.")
    one.add_argument("point", metavar="MODULE.NAME")
    one.add_argument("state", choices=("open", "closed"))
    one = verb("fault", "Break a link, or make it whole again.")
    one.add_argument("link", metavar="LINK")
    one.add_argument("mode", choices=("unplug", "silence", "garbage", "restore"))
    one = verb("observe", "Show what the building looks like now.")
    one.add_argument("--json", action="store_true", help="as one JSON object")
    one = verb("timing", "Switch the modelled time of a pad's air and serial line on or off.")
    one.add_argument("pad", metavar="PAD")
    one.add_argument("parts", metavar="air=on|off|serial=on|off", nargs="+")
    one = verb("speed", "Change how many building seconds pass in a second.")
    one.add_argument("speed", metavar="X", type=float)
    one = verb("people", "Say how many readers are in a room; auto gives them back to the timetable.")
    one.add_argument("room", metavar="ROOM")
    one.add_argument("count", metavar="N|auto")
    text = "Make Zigbee devices and their radio do what happens in the field."
    zigbee_cli.add_arguments(verbs.add_parser("zigbee", help=text, description=text), common)
    _serve_arguments(verb("serve", "Run the virtual building until SIGTERM or Ctrl-C."))
    return parser


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the ports as one line of JSON once all are open")
    parser.add_argument("--state", metavar="DIR", type=Path, help="keep tags and the Zigbee network here")
    parser.add_argument("--links", metavar="DIR", type=Path, help="put the pty links here (default: STATE/run)")
    parser.add_argument("--io-port", metavar="N", type=int, help="TCP port of the first I/O module; 0: any free one")
    parser.add_argument("--speed", metavar="X", type=float, help="building seconds per second (60)")
    parser.add_argument("--devices", metavar="N", type=int, help="so many Zigbee sensors more, for load tests")
    parser.add_argument("--reports-per-s", metavar="X", type=float, help="reports that these send together")
    parser.add_argument("--bench", metavar="FILE", type=Path, help="description of another bench than the demo's")


def _serve(options: argparse.Namespace) -> None:
    from firmware_sim.serve import DEMO_BENCH, ServeOptions, serve  # noqa: PLC0415  the other commands stay quick

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    serve(
        ServeOptions(
            settings=settings(
                control=options.control, io_port=options.io_port, speed=options.speed, config=options.config
            ),
            bench=options.bench or DEMO_BENCH,
            state=options.state,
            links=options.links,
            as_json=options.json,
            devices=options.devices,
            reports_per_s=options.reports_per_s,
        )
    )


def _speak(options: argparse.Namespace) -> None:
    request = _request(options)
    answer = call(settings(control=options.control, config=options.config).control, request)
    if options.command == "zigbee":
        zigbee_cli.show(options, answer)
    if options.command != "observe":
        return
    print(json.dumps(answer, ensure_ascii=False, indent=2) if options.json else _table(answer))


def _request(options: argparse.Namespace) -> Request:
    if options.command == "zigbee":
        return zigbee_cli.request(options)
    given = {
        name: value
        for name, value in vars(options).items()
        if name not in ("command", "control", "config", "json", "values", "parts")
    }
    if options.command == "set":
        given |= {name: _number(name, text) for name, text in _pairs(options.values, ("temp", "rh", "lux")).items()}
    elif options.command == "people":
        given["count"] = "auto" if options.count == "auto" else _number("people", options.count)
    elif options.command == "timing":
        given |= {name: _switch(name, text) for name, text in _pairs(options.parts, ("air", "serial")).items()}
    return {"cmd": options.command, **given}


def _pairs(words: list[str], allowed: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in allowed:
            raise ValueError(f"{word!r} is not one of {', '.join(f'{one}=...' for one in allowed)}")
        pairs[name] = value
    return pairs


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _number(name: str, text: str) -> float | str:
    if name == "lux" and text == "auto":
        return text
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name}={text} is not a number") from None


def _switch(name: str, text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError(f"{name} is on or off, not {text!r}")
    return text == "on"


def _table(seen: dict[str, Any]) -> str:
    clock = seen["clock"]
    lines = [f"building time {clock['time']}, {clock['speed']:g} x real time", ""]
    lines.append(
        f"{'room':14}{'temp C':>8}{'RH %':>7}{'lux':>8}{'curtain %':>11}{'AC':>5}{'vent %':>8}{'people':>8}{'CO2':>6}"
    )
    for name, room in seen["rooms"].items():
        line = f"{name:14}{room['temp']:8.1f}{room['rh']:7.0f}{room['lux']:8.0f}"
        if name != OUTDOORS:
            ac = "on" if room["ac_on"] else "off"
            line += f"{room['curtain_closed_pct']:11.0f}{ac:>5}{room['vent_pct']:8.0f}"
            line += f"{room['people']:8.0f}{room['co2']:6.0f}"
            line += "  dehumidifier on" * room["dehumidifier_on"] + "  SIREN" * room["siren"]
        lines.append(line)
    lines.append("")
    for name, module in seen["io"].items():
        inputs = ", ".join(f"{point} {'ACTIVE' if on else 'quiet'}" for point, on in module["inputs"].items())
        outputs = ", ".join(f"{point} {'ON' if on else 'off'}" for point, on in module["outputs"].items())
        lines.append(f"{name}: {inputs}; {outputs}")
    pads: dict[str, list[str]] = {}
    for barcode, tag in seen["tags"].items():
        if tag["pad"] is not None:
            pads.setdefault(tag["pad"], []).append(f"{barcode} (AFI {tag['afi']})")
    lines += [f"on {pad}: {', '.join(tags)}" for pad, tags in pads.items()]
    lines += [f"link {name}: {mode}" for name, mode in seen["links"].items() if mode != "none"]
    return "\n".join(lines).rstrip()
