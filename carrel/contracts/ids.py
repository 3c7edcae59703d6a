"""Names that occur in messages and topics."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""Lowercase letters, digits and hyphens: safe in topics, URLs and file names."""

BranchId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,62}$")]
"""A branch of the library, also as other systems write them: MAIN, Nord_2. A gateway's own is a slug."""

DeviceId = Slug
RoomId = Slug
"""A room is also a zone of the environment: same id."""
ActuatorId = Slug
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""As the rules' file allows it."""
LinkId = Slug

ItemBarcode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.*:/_-]{1,32}$")]
CardNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.*:/_-]{1,32}$")]
TagUid = Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{16}$")]
"""ISO 15693 UID, most significant byte (E0) first."""

RequestId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z._:-]+$")]
Person = Annotated[str, StringConstraints(max_length=200)]
"""Who did something, as the server names them: an id, never a name to be shown."""
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
"""A sequence or session number: what a database can hold."""
AlarmId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,95}$")]
