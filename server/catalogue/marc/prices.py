"""Prices as libraries write them: `CNY1,234.00`, `2册 ¥30.00`, `1 234,50`. Pure."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

DEAREST = 10_000_000
"""A greater amount is a slip, and more than the column holds in minor units."""

_CODES = "CNY|RMB|USD|EUR|HKD|NTD|TWD|MOP|JPY|KRW|SGD|GBP|AUD|CAD|CHF|INR|RUB"
_BEFORE = re.compile(rf"(?:[$¥€£₩₹]|\b(?:{_CODES}|Rs)|人民币|价)[ .:]*\Z", re.IGNORECASE)
_AFTER = re.compile(rf" ?(?:[$€£元圆圓円원]|(?:yuan|{_CODES})\b)", re.IGNORECASE)
_COUNT = re.compile(r" ?(?:[册冊卷本套]|v\.|vols?\b)", re.IGNORECASE)
_NUMBER = re.compile(r"(?:(?<!\w)[.,])?[0-9](?:[0-9.,'’]| (?=[0-9]{3}(?![0-9])))*(?<=[0-9])")
_PLAIN = re.compile(r"([0-9]*)(?:[.,]([0-9]{1,2})|\.([0-9]{2})0{2,})?")
_GROUPED = re.compile(r"([1-9][0-9]{0,2}(?:([., '’])[0-9]{3})(?:\2[0-9]{3})*)(?:(?!\2)[.,]([0-9]{1,2}))?")
_DOUBTFUL = re.compile(r"[0-9] ?[-‐-―~] ?[0-9]|[0-9] ?[角分]")
"""From one amount to another, or an amount in two pieces."""


def minor(text: str) -> int | None:
    """The amount in minor units; None when the text tells none, or could mean several. Of several numbers it is the
    one beside a currency, or else the one that counts no volumes."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if _DOUBTFUL.search(plain):
        return None
    numbers = list(_NUMBER.finditer(plain))
    money = [one for one in numbers if _BEFORE.search(plain[: one.start()]) or _AFTER.match(plain, one.end())]
    meant = money or [one for one in numbers if not _COUNT.match(plain, one.end())]
    amounts = {_amount(one[0]) for one in meant}
    return amounts.pop() if len(amounts) == 1 else None


def _amount(number: str) -> int | None:
    """None for what could be thousands as well as thousandths, such as `1.234`, and for what is neither."""
    if grouped := _GROUPED.fullmatch(number):
        whole, sign, part = grouped.groups()
        if part is None and sign == "." and whole.count(".") == 1:
            return None
        whole = re.sub("[., '’]", "", whole)
    elif plain := _PLAIN.fullmatch(number):
        whole, part = plain[1], plain[2] or plain[3]
    else:
        return None
    amount = Decimal(f"{whole or 0}.{part or 0}")
    return int(amount.scaleb(2)) if amount < DEAREST else None
