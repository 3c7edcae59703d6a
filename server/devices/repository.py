"""All SQL of the networks domain."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.devices.models import DeviceNameRow


def add(session: Session, row: DeviceNameRow) -> None:
    """Store a name that a device has from now on."""
    session.add(row)


def present(session: Session, gateway: str) -> list[DeviceNameRow]:
    """The names that devices of a gateway have, as far as the database knows; locked."""
    query = select(DeviceNameRow).where(DeviceNameRow.gateway == gateway, DeviceNameRow.until.is_(None))
    return list(session.scalars(query.order_by(DeviceNameRow.id).with_for_update()))


def around(session: Session, name: str) -> list[DeviceNameRow]:
    """Everything about the devices that have or had this name, and about whoever had one of their names."""
    holders = select(DeviceNameRow.ieee).where(DeviceNameRow.name == name)
    names = select(DeviceNameRow.name).where(DeviceNameRow.ieee.in_(holders))
    theirs = select(DeviceNameRow.ieee).where(DeviceNameRow.name.in_(names))
    return list(session.scalars(select(DeviceNameRow).where(DeviceNameRow.ieee.in_(theirs)).order_by(DeviceNameRow.id)))
