"""What the server tells the edge to run by, signed, and what the edge answers.

A document is signed with the secret that server and gateways share (HMAC-SHA256), over where it goes, its version and
its text, so that nobody who can only reach the broker can change a rule, and no gateway takes another's.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from carrel.contracts.base import Contract
from carrel.contracts.ids import Person

Section = Literal["rules"]
Version = Annotated[int, Field(ge=1, lt=1 << 31)]

PURPOSE = "carrel config 1"
"""Part of what is signed: a signature made for anything else never fits."""


class ConfigDocument(Contract):
    """One section as it is to be from now on; `body` is JSON whose form the section defines. Retained; a newer version
    takes the place of an older one, never the other way round."""

    section: Section
    version: Version
    at: AwareDatetime
    by: Person
    body: Annotated[str, StringConstraints(max_length=500_000)]
    signature: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ConfigRefusal(Contract):
    """Why a gateway does not run a document; worded by the page. `version` is None where it could not be read."""

    version: int | None = None
    code: Literal[
        "bad_signature", "no_token", "malformed", "older_version", "does_not_fit", "rules_contradict", "not_stored"
    ]
    detail: str = ""
    at: AwareDatetime


class ConfigState(Contract):
    """What a gateway runs by, retained: version 0 is what its config.toml says. `newest` is the highest version it ever
    took, `refused` the last document that it did not take since."""

    section: Section
    version: int = Field(ge=0)
    since: AwareDatetime
    newest: int = Field(ge=0)
    refused: ConfigRefusal | None = None


def sign(document: ConfigDocument, *, branch: str, gateway: str, secret: str) -> ConfigDocument:
    """The same with the signature for this gateway."""
    signature = _signature(document, branch=branch, gateway=gateway, secret=secret)
    return document.model_copy(update={"signature": signature})


def is_signed(document: ConfigDocument, *, branch: str, gateway: str, secret: str) -> bool:
    """Whether whoever wrote it knew the secret and meant this gateway."""
    wanted = _signature(document, branch=branch, gateway=gateway, secret=secret)
    return hmac.compare_digest(document.signature, wanted)


def unsigned(section: Section, version: int, *, at: AwareDatetime, by: str, body: str) -> ConfigDocument:
    """A document to be signed."""
    return ConfigDocument(section=section, version=version, at=at, by=by, body=body, signature="0" * 64)


def _signature(document: ConfigDocument, *, branch: str, gateway: str, secret: str) -> str:
    at = document.at.astimezone(UTC).isoformat()
    said = [PURPOSE, branch, gateway, document.section, document.version, at, document.by, document.body]
    return hmac.new(secret.encode(), json.dumps(said).encode(), hashlib.sha256).hexdigest()
