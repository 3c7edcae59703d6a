"""What a device shall report by itself, whether it does, and how it is told to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from zigpy.device import ZigbeeDevice
from zigpy.zcl import Cluster, foundation
from zigpy.zcl.helpers import ReportingConfig

from devices.zigbee.clusters import BY_CLUSTER, Attribute

SUPERVISED_S = 3600
"""A detector shall be heard at least so often, by whatever it reports: its silence is a fault."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One cluster with the attributes that it shall report."""

    cluster: Cluster
    attributes: tuple[Attribute, ...]


def described_clusters(device: ZigbeeDevice) -> Iterator[Cluster]:
    """The server clusters that clusters.py describes, lowest endpoint first."""
    for endpoint in device.non_zdo_endpoints:
        for number, cluster in endpoint.in_clusters.items():
            if number in BY_CLUSTER:
                yield cluster


def wanted_of(device: ZigbeeDevice, *, supervised: bool = False) -> list[Wanted]:
    """What a device shall report, without the attributes that it said it lacks."""
    found = [
        Wanted(cluster, tuple(_supported(cluster, supervised=supervised))) for cluster in described_clusters(device)
    ]
    return [wanted for wanted in found if wanted.attributes]


def scale_of(cluster: Cluster, description: Attribute) -> float | None:
    """What a raw value is to be multiplied by, as the device told it; None before it has, 0 in a foreign unit."""
    scale = description.scale
    if scale is None:
        return 1.0
    multiplier, divisor = (_told(cluster, number, 1) for number in (scale.multiplier, scale.divisor))
    unit = scale.unit_value if scale.unit is None else _told(cluster, scale.unit, scale.unit_value)
    if multiplier is None or divisor is None or unit is None:
        return None
    return (multiplier or 1) / (divisor or 1) if unit == scale.unit_value else 0.0


async def learn_scales(wanted: Sequence[Wanted]) -> None:
    """Ask once what raw values count; a device that does not say counts in the unit itself (ZCL 8, 4.9 and 10.4)."""
    for one in wanted:
        scales = [description.scale for description in one.attributes if description.scale is not None]
        missing: list[int | str | foundation.ZCLAttributeDef] = [
            number for s in scales for number in s.attributes if _told(one.cluster, number, 0) is None
        ]
        if missing:
            await one.cluster.read_attributes(missing)


async def as_wanted(wanted: Wanted) -> bool:
    """Whether the device's own reporting configuration is ours; it outlives our restarts and ends with a reset."""
    records = [
        foundation.ReadReportingConfigRecord(
            direction=foundation.ReportingDirection.SendReports, attrid=description.attribute
        )
        for description in wanted.attributes
    ]
    answer = await wanted.cluster.general_command(foundation.GeneralCommand.Read_Reporting_Configuration, records)
    found = {
        record.config.attrid: (record.config.min_interval, record.config.max_interval)
        for record in getattr(answer, "attribute_configs", ())
        if record.status == foundation.Status.SUCCESS
    }
    return all(found.get(one.attribute) == (one.reporting.min_s, one.reporting.max_s) for one in wanted.attributes)


async def bind(wanted: Wanted) -> None:
    """Let the cluster's reports come to us; raises what zigpy raises when the device does not answer."""
    await wanted.cluster.bind()  # type: ignore[no-untyped-call]  # zigpy leaves it bare


async def configure(wanted: Wanted) -> list[str]:
    """Set the reporting; returns what the device refused, in words."""
    cluster = wanted.cluster
    results = await cluster.configure_reporting_multiple(
        {cluster.find_attribute(one.attribute): _config(one, scale_of(cluster, one)) for one in wanted.attributes}
    )
    return [f"{a.name}: {s.name.lower()}" for a, s in results.items() if s != foundation.Status.SUCCESS]


async def read(wanted: Sequence[Wanted]) -> None:
    """Ask for every value once; they arrive as events."""
    for one in wanted:
        await one.cluster.read_attributes([description.attribute for description in one.attributes])


def _supported(cluster: Cluster, *, supervised: bool) -> Iterator[Attribute]:
    for description in BY_CLUSTER[cluster.cluster_id].values():
        if cluster.is_attribute_unsupported(description.attribute) or scale_of(cluster, description) == 0.0:
            continue
        if supervised and description.reporting.max_s > SUPERVISED_S:
            yield replace(description, reporting=replace(description.reporting, min_s=60, max_s=SUPERVISED_S))
        else:
            yield description


def _told(cluster: Cluster, attribute: int, default: int) -> int | None:
    """An attribute as it was read once; `default` for a device that lacks it."""
    if cluster.is_attribute_unsupported(attribute):
        return default
    value = cluster.get(attribute)
    return None if value is None else int(value)


def _config(one: Attribute, scale: float | None) -> ReportingConfig:
    reporting = one.reporting
    change = max(1, round(reporting.change / (scale or 1.0))) if one.scale is not None else reporting.change
    return ReportingConfig(
        min_interval=reporting.min_s,
        max_interval=reporting.max_s,
        reportable_change=change,  # type: ignore[arg-type]  # zigpy says int and takes a float's float
    )
