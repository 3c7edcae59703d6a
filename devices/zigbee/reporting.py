"""What a device shall report by itself, whether it does, and how it is told to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from zigpy.device import ZigbeeDevice
from zigpy.zcl import Cluster, foundation
from zigpy.zcl.helpers import ReportingConfig

from devices.zigbee.clusters import BY_CLUSTER, Attribute, Reporting

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
        {cluster.find_attribute(one.attribute): _config(one.reporting) for one in wanted.attributes}
    )
    return [f"{a.name}: {s.name.lower()}" for a, s in results.items() if s != foundation.Status.SUCCESS]


async def read(wanted: Sequence[Wanted]) -> None:
    """Ask for every value once; they arrive as events."""
    for one in wanted:
        await one.cluster.read_attributes([description.attribute for description in one.attributes])


def _supported(cluster: Cluster, *, supervised: bool) -> Iterator[Attribute]:
    for description in BY_CLUSTER[cluster.cluster_id].values():
        if cluster.is_attribute_unsupported(description.attribute):
            continue
        if supervised and description.reporting.max_s > SUPERVISED_S:
            yield replace(description, reporting=replace(description.reporting, min_s=60, max_s=SUPERVISED_S))
        else:
            yield description


def _config(reporting: Reporting) -> ReportingConfig:
    return ReportingConfig(
        min_interval=reporting.min_s,
        max_interval=reporting.max_s,
        reportable_change=reporting.change,  # type: ignore[arg-type]  # zigpy says int and takes a float's float
    )
