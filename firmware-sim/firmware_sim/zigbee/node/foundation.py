"""Global ZCL commands as a device answers them: read, write, configure reporting, discover (ZCL 8, 2.5)."""

import math
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.models import Attribute
from firmware_sim.zigbee.node.reporting import NEVER, Reporter, Rule, Target
from firmware_sim.zigbee.octets import Octets, u16

Table = Mapping[int, Attribute]
Answer = tuple[int, bytes]  # command, payload


class Holder(Protocol):
    """Who owns the attributes."""

    reporter: Reporter

    def get(self, target: Target) -> zcl.Value:
        """Present value."""

    def write(self, target: Target, value: zcl.Value) -> None:
        """A host wrote a value that the attribute accepts."""


def answer(holder: Holder, cluster: int, command: int, *, table: Table, args: Octets) -> Answer | None:
    """The response to a global command; None when none is due.

    KeyError for a command that devices do not take; TruncatedError or ValueError when it is malformed.
    """
    if command in _UNANSWERED:
        return None
    return _COMMANDS[command](holder, cluster, table, args)


def _read(holder: Holder, cluster: int, table: Table, args: Octets) -> Answer:
    out = b""
    while args.left:
        attribute = args.u16()
        known = table.get(attribute)
        if known is None:
            out += u16(attribute) + bytes((zcl.UNSUPPORTED_ATTRIBUTE,))
        else:
            value = zcl.encode_value(known.type, holder.get((cluster, attribute)))
            out += u16(attribute) + bytes((zcl.SUCCESS, known.type)) + value
    return zcl.READ_RESPONSE, out


Written = tuple[int, int, zcl.Value]  # attribute, type, value


def _take_writes(args: Octets) -> list[Written]:
    writes = []
    while args.left:
        attribute, data_type = args.u16(), args.u8()
        writes.append((attribute, data_type, zcl.read_value(data_type, args)))
    return writes


def _write_status(table: Table, write: Written) -> int:
    attribute, data_type, value = write
    known = table.get(attribute)
    if known is None:
        return zcl.UNSUPPORTED_ATTRIBUTE
    if not known.writable:
        return zcl.READ_ONLY
    if known.type != data_type:
        return zcl.INVALID_DATA_TYPE
    return zcl.SUCCESS if known.accepts(value) else zcl.INVALID_VALUE


def _do_writes(holder: Holder, cluster: int, table: Table, *, args: Octets, undivided: bool) -> bytes:
    writes = _take_writes(args)
    statuses = [_write_status(table, write) for write in writes]
    if not (undivided and any(statuses)):
        for (attribute, _, value), status in zip(writes, statuses, strict=True):
            if status == zcl.SUCCESS:
                holder.write((cluster, attribute), value)
    failures = zip(writes, statuses, strict=True)
    return b"".join(bytes((status,)) + u16(write[0]) for write, status in failures if status)


def _write(holder: Holder, cluster: int, table: Table, args: Octets) -> Answer:
    return zcl.WRITE_RESPONSE, _do_writes(holder, cluster, table, args=args, undivided=False) or b"\x00"


def _write_undivided(holder: Holder, cluster: int, table: Table, args: Octets) -> Answer:
    return zcl.WRITE_RESPONSE, _do_writes(holder, cluster, table, args=args, undivided=True) or b"\x00"


def _write_silently(holder: Holder, cluster: int, table: Table, args: Octets) -> None:
    _do_writes(holder, cluster, table, args=args, undivided=False)


def _configure(holder: Holder, cluster: int, table: Table, args: Octets) -> Answer:
    out = b""
    while args.left:
        direction, attribute = args.u8(), args.u16()
        if direction:
            args.u16()
            status = zcl.UNREPORTABLE_ATTRIBUTE
        else:
            status = _configure_one(holder, (cluster, attribute), table.get(attribute), args)
        if status:
            out += bytes((status, direction)) + u16(attribute)
    return zcl.CONFIGURE_REPORTING_RESPONSE, out or b"\x00"


def _configure_one(holder: Holder, target: Target, known: Attribute | None, args: Octets) -> int:
    data_type, min_s, max_s = args.u8(), args.u16(), args.u16()
    change = zcl.read_value(data_type, args) if zcl.is_analog(data_type) else 0
    if known is None:
        return zcl.UNSUPPORTED_ATTRIBUTE
    if known.type != data_type:
        return zcl.INVALID_DATA_TYPE
    if not known.reportable:
        return zcl.UNREPORTABLE_ATTRIBUTE
    if NEVER in (min_s, max_s):
        holder.reporter.cancel(target)
        return zcl.SUCCESS
    if 0 < max_s < min_s:
        return zcl.INVALID_VALUE
    holder.reporter.configure(target, Rule(data_type, min_s, max_s, _least_change(change)))
    return zcl.SUCCESS


def _least_change(change: zcl.Value) -> zcl.Number:
    """The reportable change; floating types may leave it open with NaN."""
    return abs(change) if isinstance(change, int | float) and not math.isnan(change) else 0


def _read_reporting(holder: Holder, cluster: int, table: Table, args: Octets) -> Answer:
    out = b""
    while args.left:
        direction, attribute = args.u8(), args.u16()
        known, rule = table.get(attribute), holder.reporter.rules.get((cluster, attribute))
        place = bytes((direction,)) + u16(attribute)
        if known is None:
            out += bytes((zcl.UNSUPPORTED_ATTRIBUTE,)) + place
        elif direction or not known.reportable:
            out += bytes((zcl.UNREPORTABLE_ATTRIBUTE,)) + place
        elif rule is None:
            out += bytes((zcl.NOT_FOUND,)) + place
        else:
            change = zcl.encode_value(rule.data_type, rule.change) if zcl.is_analog(rule.data_type) else b""
            out += bytes((zcl.SUCCESS,)) + place + bytes((rule.data_type,)) + u16(rule.min_s) + u16(rule.max_s) + change
    return zcl.READ_REPORTING_RESPONSE, out


def _discover(holder: Holder, cluster: int, table: Table, args: Octets) -> Answer:  # noqa: ARG001  one face for all
    start, at_most = args.u16(), args.u8()
    found = [attribute for attribute in sorted(table) if attribute >= start]
    records = b"".join(u16(attribute) + bytes((table[attribute].type,)) for attribute in found[:at_most])
    return zcl.DISCOVER_RESPONSE, bytes((len(found) <= at_most,)) + records


_UNANSWERED: Final = frozenset(
    (
        zcl.READ_RESPONSE,
        zcl.WRITE_RESPONSE,
        zcl.CONFIGURE_REPORTING_RESPONSE,
        zcl.READ_REPORTING_RESPONSE,
        zcl.REPORT,
        zcl.DEFAULT_RESPONSE,
        zcl.DISCOVER_RESPONSE,
    )
)
_COMMANDS: Final[dict[int, Callable[[Holder, int, Table, Octets], Answer | None]]] = {
    zcl.READ: _read,
    zcl.WRITE: _write,
    zcl.WRITE_UNDIVIDED: _write_undivided,
    zcl.WRITE_NO_RESPONSE: _write_silently,
    zcl.CONFIGURE_REPORTING: _configure,
    zcl.READ_REPORTING: _read_reporting,
    zcl.DISCOVER: _discover,
}
