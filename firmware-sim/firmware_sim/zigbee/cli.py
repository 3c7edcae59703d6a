"""`carrel sim zigbee ...`: the words of the command line, as requests on the control socket."""

import argparse
import json
from typing import Any, Final

from firmware_sim.control import Request

_WITH_DEVICE: Final = {
    "join": "Press a device's button: it forgets its network and joins through the open window.",
    "leave": "Let a device leave the network.",
    "rejoin": "Let a device come back as after a lost parent, under its old short address.",
    "clash": "Let a device announce the short address of another.",
    "fault": "Break one device, or make it whole again with restore.",
    "alarm": "Raise or end an alarm at a detector or siren.",
    "battery": "Say how full a battery is.",
    "check-in": "Let a sleepy device check in now.",
}
_ALONE: Final = {
    "list": "Show the network and its devices.",
    "reset": "Let the radio boot by itself.",
    "hang": "Let the radio hang until it is reset or unplugged.",
    "spoil": "Send the next frames to the host with a wrong checksum.",
    "storm": "Flood the channel for a while: nothing to a single device gets out.",
    "load": "Let the extra sensors send so many reports a second; 0 ends it.",
}


def add_arguments(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """The words after `zigbee`."""
    verbs = parser.add_subparsers(dest="do", required=True, metavar="WHAT")
    words = {
        name: verbs.add_parser(name, help=text, description=text, parents=[common], argument_default=argparse.SUPPRESS)
        for name, text in (_ALONE | _WITH_DEVICE).items()
    }
    for name in _WITH_DEVICE:
        words[name].add_argument("device", metavar="DEVICE", help="name or IEEE address")
    words["list"].add_argument("--json", action="store_true", help="as one JSON object")
    words["leave"].add_argument("--rejoin", action="store_true", help="it comes back with another short address")
    words["rejoin"].add_argument("--new-address", action="store_true", help="under another short address")
    words["clash"].add_argument("owner", metavar="OWNER", help="the device whose address it takes")
    words["fault"].add_argument("mode", metavar="MODE", help="lost, duplicated, deaf, ..., restore")
    words["fault"].add_argument("--share", metavar="S", type=float, help="share of the frames, above 0 and at most 1")
    words["fault"].add_argument("--status", metavar="0xE9", type=_octet, help="data confirm status for refused")
    words["alarm"].add_argument("event", metavar="on|off|test|tamper|trouble")
    words["battery"].add_argument("percent", metavar="PERCENT", type=float)
    words["reset"].add_argument("--reason", metavar="power-up|external|watchdog")
    words["spoil"].add_argument("frames", metavar="N", type=int)
    words["storm"].add_argument("seconds", metavar="SECONDS", type=float)
    words["storm"].add_argument("--status", metavar="0xE1", type=_octet, help="data confirm status meanwhile")
    words["load"].add_argument("reports_per_s", metavar="X", type=float)
    words["load"].add_argument("--unbound", action="store_true", help="also from devices that no host has bound")


def request(options: argparse.Namespace) -> Request:
    """What the options ask for."""
    aside = ("command", "control", "config", "json")
    return {"cmd": "zigbee", **{name: value for name, value in vars(options).items() if name not in aside}}


def show(options: argparse.Namespace, answer: dict[str, Any]) -> None:
    """Print what a person wants to see of an answer."""
    if options.do == "list" and getattr(options, "json", False):
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    elif options.do == "list":
        print(_table(answer))


def _octet(text: str) -> int:
    return int(text, 0)


def _table(seen: dict[str, Any]) -> str:
    pan = "none" if seen["pan"] is None else f"0x{seen['pan']:04X} on channel {seen['channel']}"
    window = f", open for joining for {seen['permit_s']:.0f} s" if seen["permit_s"] else ""
    lines = [f"network {pan}, {'in use' if seen['running'] else 'no host'}{window}", ""]
    lines.append(f"{'device':22}{'ieee':25}{'model':13}{'zone':14}{'address':9}{'reports':>8}  notes")
    for device in seen["devices"]:
        address = f"{device['nwk']:04X}" if device["joined"] and device["nwk"] is not None else "-"
        line = f"{device['name']:22}{device['ieee']:25}{device['model']:13}{device['zone']:14}{address:9}"
        lines.append((line + f"{device['reports']:8}  {_notes(device)}").rstrip())
    return "\n".join(lines)


def _notes(device: dict[str, Any]) -> str:
    notes = [f"battery {device['battery']:.0f} %, polls every {device['poll_s']:g} s"] if device["poll_s"] else []
    notes += device["faults"]
    notes += device["state"].get("bits", [])
    sound = device["state"].get("sound")
    return ", ".join([*notes, f"sounds {sound}"] if sound else notes)
