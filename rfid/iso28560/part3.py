"""ISO 28560-3: item data in a fixed block with a checksum, then optional extension blocks ("Danish model").

0 version and usage, 1 parts, 2 part, 3..18 item id, 19..20 CRC, 21..33 owner (21..31 on tags of 32 bytes).
Extension block: length, id (2, low first), XOR, payload of texts parted by 00.
"""

from dataclasses import replace
from functools import reduce
from operator import xor

from rfid.iso28560.model import Decoded, Model, Status

BASIC_BYTES = 34
_SHORT_BYTES = 32
_OWNER_AT = 21
_VERSION = 1
_HEAD = 4  # of an extension block

# Texts of each extension block, in order: a field of Decoded, or an object id of ISO 28560-1 for `other`.
_EXTENSIONS: dict[int, tuple[str, ...]] = {
    1: ("22", "23"),
    3: ("shelf_location", "marc_media_format", "onix_media_format", "24"),
    4: ("title",),
    5: ("ill_borrower", "ill_transaction", "25"),
}
_LIBRARY_BLOCK = 1  # begins with the media format byte


def crc16(data: bytes) -> int:
    """Return the checksum: polynomial 1021, start FFFF, most significant bit first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def checksum_good(memory: bytes) -> bool:
    """Tell whether the basic block carries its own checksum; memory needs 32 bytes or 34 and more."""
    if len(memory) < _SHORT_BYTES:
        return False
    return _checksum(memory) == int.from_bytes(memory[19:21], "little")


def whole(prefix: bytes) -> bool:
    """Tell whether a memory's beginning holds the basic block and all extension blocks."""
    position = BASIC_BYTES
    while position < len(prefix):
        if prefix[position] == 0:
            return True
        position += prefix[position]
    return False


def decode(memory: bytes) -> Decoded:
    """Return the fields; a wrong checksum makes the tag corrupt, part > parts inconsistent (swapped by the writer)."""
    if len(memory) < _SHORT_BYTES:
        return Decoded(Model.ISO28560_3, Status.CORRUPT, problems=("length",))
    problems = [] if checksum_good(memory) else ["crc"]
    parts, part = memory[1], memory[2]
    if (parts, part) != (0, 0) and not 1 <= part <= parts:
        problems.append("set")
    owner_raw = _text(memory[_OWNER_AT:BASIC_BYTES])
    basic = Decoded(
        model=Model.ISO28560_3,
        status=Status.OK,
        version=memory[0] >> 4,
        usage=f"{memory[0] & 0x0F:X}",
        set_parts=parts or None,
        set_part=part or None,
        pii=_text(memory[3:19]) or None,
        owner_raw=owner_raw,
        owner=_isil(owner_raw),
        owner_width=min(len(memory), BASIC_BYTES) - _OWNER_AT,
    )
    if not basic.pii:
        problems.append("missing:1")
    return _with_extensions(basic, memory[BASIC_BYTES:], problems)


def encode(item: Decoded, *, short: bool = False) -> bytes:
    """Return the basic block: 34 bytes, or 32 for tags that hold no more. ValueError when a field does not fit."""
    pii, owner = (item.pii or "").encode(), (item.owner or "").replace("-", "", 1).encode()
    size = _SHORT_BYTES if short else BASIC_BYTES
    if not 0 < len(pii) <= 16 or len(owner) > size - _OWNER_AT:
        raise ValueError("item id or owner does not fit the basic block")
    head = bytes((_VERSION << 4 | int((item.usage or "1")[0], 16), item.set_parts or 1, item.set_part or 1))
    block = (head + pii.ljust(16, b"\0") + bytes(2) + owner).ljust(size, b"\0")
    return block[:19] + _checksum(block).to_bytes(2, "little") + block[21:]


def _checksum(memory: bytes) -> int:
    return crc16(memory[:19] + memory[_OWNER_AT:BASIC_BYTES].ljust(BASIC_BYTES - _OWNER_AT, b"\0"))


def _with_extensions(basic: Decoded, memory: bytes, problems: list[str]) -> Decoded:
    fields: dict[str, str] = {}
    while memory and memory[0]:
        block = memory[: memory[0]]
        if len(block) < max(_HEAD, memory[0]):
            problems.append("length")
            break
        if reduce(xor, block):
            problems.append("xor")
        else:
            fields |= _extension(block[1] | block[2] << 8, block[_HEAD:])
        memory = memory[len(block) :]
    other = {name: text for name, text in fields.items() if not hasattr(basic, name)}
    known = {name: text for name, text in fields.items() if hasattr(basic, name)}
    item = replace(basic, other=other, **known)  # type: ignore[arg-type]  # only text fields are named in _EXTENSIONS
    return item.with_problems(_status(problems), *dict.fromkeys(problems))


def _status(problems: list[str]) -> Status:
    if {"crc", "xor", "length"}.intersection(problems):
        return Status.CORRUPT
    return Status.INCONSISTENT if problems else Status.OK


def _extension(block_id: int, payload: bytes) -> dict[str, str]:
    names = _EXTENSIONS.get(block_id)
    if names is None:
        return {f"block{block_id}": payload.hex()}
    fields = {}
    if block_id == _LIBRARY_BLOCK:
        fields["media_format"] = str(payload[0]) if payload else ""
        payload = payload[1:]
    texts = [part.decode(errors="replace") for part in payload.split(b"\0")]
    return {name: text for name, text in (*fields.items(), *zip(names, texts, strict=False)) if text}


def _text(field: bytes) -> str:
    """Return a 00-padded text; old tags hold ISO 8859-1 where UTF-8 is meant."""
    raw = field.rstrip(b"\0")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _isil(raw: str) -> str | None:
    """Return the ISIL of an owner field, which leaves out the hyphen behind the two-letter country."""
    country, library = raw[:2], raw[2:]
    return f"{country}-{library}" if country.isascii() and country.isalpha() and country.isupper() and library else None
