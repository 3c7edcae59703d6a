"""The demo library's data files as values."""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import count

from pydantic import BaseModel, ConfigDict, TypeAdapter

from server.catalogue.service import NewRecord
from server.deps import Role
from server.lending.policy import Rule

FIRST_BARCODE = 30000001
RULES: TypeAdapter[tuple[Rule, ...]] = TypeAdapter(tuple[Rule, ...])
EDITIONS = {"zh": "公版文本", "en": "Public-domain text"}


class DemoAccount(BaseModel):
    """Somebody who works in the demo library."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str
    password: str
    name: str
    role: Role


class DemoPatron(BaseModel):
    """Somebody who borrows there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    card: str
    pin: str
    name: str
    language: str
    patron_class: str = "adult"
    age: int | None = None
    email: str = ""
    phone: str = ""
    guardian: str | None = None
    keeps_history: bool = False
    blocked: bool = False
    expired: bool = False


class DemoLoan(BaseModel):
    """A loan that was made before the demo library is first opened."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    card: str
    barcode: str
    days_ago: int
    renewed_days_ago: tuple[int, ...] = ()


class People(BaseModel):
    """people.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: tuple[DemoAccount, ...]
    patron: tuple[DemoPatron, ...]
    loan: tuple[DemoLoan, ...]


@dataclass(frozen=True, slots=True)
class DemoRecord:
    """A title and the barcodes of its items."""

    record: NewRecord
    barcodes: tuple[str, ...]
    location: str
    for_loan: bool


@cache
def people() -> People:
    """Accounts, patrons and their first loans."""
    return People.model_validate(tomllib.loads((files(__package__) / "people.toml").read_text(encoding="utf-8")))


@cache
def rules() -> tuple[Rule, ...]:
    """rules.toml."""
    return RULES.validate_python(tomllib.loads((files(__package__) / "rules.toml").read_text(encoding="utf-8"))["rule"])


def records() -> list[DemoRecord]:
    """All titles; barcodes and the running number within a class follow the file's order."""
    numbers, in_class = count(FIRST_BARCODE), Counter[str]()
    out = []
    with (files(__package__) / "records.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            in_class[row["class"]] += 1
            record = NewRecord(
                title=row["title"],
                author=row["author"],
                year=row["year"],
                edition=EDITIONS[row["language"]],
                language=row["language"],
                class_number=row["class"],
                call_number=f"{row['class']}/{in_class[row['class']]}",
            )
            barcodes = tuple(str(next(numbers)) for _ in range(int(row["copies"])))
            out.append(DemoRecord(record, barcodes, row["location"], for_loan=row["for_loan"] == "yes"))
    return out
