"""Which devices there are: the demo's twelve, those of a bench file, and as many more as a load test wants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from firmware_sim.building import NotThereError
from firmware_sim.zigbee.node import models
from firmware_sim.zigbee.node.models import MODELS, Model
from firmware_sim.zigbee.octets import ieee_octets, ieee_text

CROWD_MAX: Final = 230  # with the others fewer than 256, which is what one octet counts
_CROWD_MODELS: Final = (models.TH, models.LIGHT, models.TH, models.OCCUPANCY_SENSOR, models.CO2)
_CROWD_ZONES: Final = ("reading-room", "stacks")
_CROWD_IEEE: Final = 0x02CA77E1_00000100


@dataclass(frozen=True, slots=True)
class Placed:
    """One device in its place. A fresh one is as from its box: it stands behind the others when a window opens."""

    name: str
    ieee: str
    model: Model
    zone: str
    fresh: bool = False
    poll_s: float | None = None
    crowd: bool = False


def _demo(number: int, name: str, model: Model, zone: str) -> Placed:
    return Placed(name, f"02:ca:77:e1:00:00:00:{number:02x}", model, zone)


DEMO: Final = (
    _demo(1, "reading-th", models.TH, "reading-room"),
    _demo(2, "stacks-th", models.TH, "stacks"),
    _demo(3, "out-th", models.TH, "out"),
    _demo(4, "reading-lux", models.LIGHT, "reading-room"),
    _demo(5, "stacks-lux", models.LIGHT, "stacks"),
    _demo(6, "reading-curtain", models.CURTAIN, "reading-room"),
    _demo(7, "reading-ac", models.AC, "reading-room"),
    _demo(8, "reading-vent", models.VENT, "reading-room"),
    _demo(9, "stacks-curtain", models.CURTAIN, "stacks"),
    _demo(10, "stacks-ac", models.AC, "stacks"),
    _demo(11, "stacks-vent", models.VENT, "stacks"),
    _demo(12, "out-lux", models.LIGHT, "out"),
)


def population(entries: Sequence[Mapping[str, Any]], crowd: int = 0) -> tuple[Placed, ...]:
    """The demo's devices, those of a bench file's `[[zigbee]]` and a crowd; ValueError when two are the same."""
    if not 0 <= crowd <= CROWD_MAX:
        raise ValueError(f"devices={crowd} is outside 0..{CROWD_MAX}")
    devices = (*DEMO, *map(_from_entry, entries), *map(_in_crowd, range(1, crowd + 1)))
    for values in ([one.name for one in devices], [one.ieee for one in devices]):
        doubles = {value for value in values if values.count(value) > 1}
        if doubles:
            raise ValueError(f"two Zigbee devices are called {', '.join(sorted(doubles))}")
    return devices


def _from_entry(entry: Mapping[str, Any]) -> Placed:
    model = MODELS.get(entry["model"])
    if model is None:
        raise NotThereError("Zigbee model", entry["model"], MODELS)
    poll_s = entry.get("poll_s")
    if poll_s is not None and not (model.sleepy and 0.25 <= poll_s <= 3600):
        raise ValueError(f"{entry['id']}: poll_s is 0.25..3600, and only for a battery device")
    ieee = ieee_text(ieee_octets(entry["ieee"]))
    return Placed(entry["id"], ieee, model, entry["zone"], fresh=True, poll_s=poll_s)


def _in_crowd(number: int) -> Placed:
    """Sensors of mixed classes, always the same ones for a number."""
    ieee = ieee_text((_CROWD_IEEE + number).to_bytes(8, "little"))
    model = _CROWD_MODELS[number % len(_CROWD_MODELS)]
    return Placed(f"load-{number:03}", ieee, model, _CROWD_ZONES[number % len(_CROWD_ZONES)], crowd=True)
