"""MARCXML: records found one by one in a file of any size, so that a bad one harms no other, and written.

Each `record` element is parsed for itself, without the file's prologue: entities that a prologue might define are
unknown, and namespace prefixes are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from server.catalogue.marc.iso2709 import LONGEST, Buffer, Chunk
from server.catalogue.marc.problems import Note
from server.catalogue.marc.record import EMPTY_LEADER, LEADER_LENGTH, Field, Marc, is_control

NAMESPACE = "http://www.loc.gov/MARC21/slim"
HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="{NAMESPACE}">\n'
TAIL = "</collection>\n"

_BEGIN = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?record[\s>]")
_END = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?record\s*>")
_ENCODING = re.compile(rb"""<\?xml[^>]{0,100}?encoding=["']([A-Za-z0-9._-]{1,40})["']""")
_TAG = re.compile("[0-9A-Za-z]{3}")
_GB = {"gb2312", "gb_2312-80", "gbk", "cp936", "euc-cn"}
"""Smaller forerunners of GB 18030, which files name that hold more than those had."""
_PARTS = ("leader", "controlfield", "datafield", "subfield")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def chunks(buffer: Buffer, start: int = 0) -> Iterator[Chunk]:
    """All innermost `record` elements from `start` on; one without an end is told as such."""
    found = _BEGIN.search(buffer, start)
    while found:
        at = found.start()
        stop = _END.search(buffer, at)
        following = _BEGIN.search(buffer, at + 1)
        if stop is None or (following and following.start() < stop.start()):
            yield from _without_end(buffer, at, following.start() if following else len(buffer))
        else:
            end = stop.end()
            long = end - at > LONGEST
            notes = (Note("too_long", f"{end - at} bytes", fatal=True),) if long else ()
            yield Chunk(at, end, bytes(buffer[at : min(end, at + LONGEST)]), notes)
            following = _BEGIN.search(buffer, end)
        found = following


def _without_end(buffer: Buffer, at: int, end: int) -> Iterator[Chunk]:
    """The beginning of a record; unless it only holds another one, as the answers of SRU and OAI do."""
    data = bytes(buffer[at : min(end, at + LONGEST)])
    if b"leader" in data or b"datafield" in data or end == len(buffer):
        yield Chunk(at, end, data, (Note("cut_off", fatal=True),))


def encoding_of(buffer: Buffer) -> str:
    """What the file's first line says that it is in."""
    found = _ENCODING.search(bytes(buffer[:400]))
    named = found[1].decode("ascii").lower() if found else "utf-8"
    return "gb18030" if named in _GB else named


def parse(data: bytes, encoding: str) -> tuple[Marc | None, list[Note]]:
    """A record element; None with a fatal note when it cannot be read."""
    handler = _Handler()
    try:
        handler.parser.Parse(data.decode(encoding), True)
    except (expat.ExpatError, KeyError) as error:
        return None, [Note("bad_xml", str(error), fatal=True)]
    except (UnicodeError, LookupError):
        return None, [Note("wrong_encoding", encoding, fatal=True)]
    leader = f"{handler.leader:24}"[:LEADER_LENGTH] if handler.leader.strip() else EMPTY_LEADER
    notes = [Note(code, ", ".join(dict.fromkeys(tags))) for code, tags in handler.wrong.items()]
    return Marc(leader, tuple(handler.fields)), notes


class _Handler:
    """What expat calls for one record."""

    def __init__(self) -> None:
        self.leader = ""
        self.fields: list[Field] = []
        self.wrong: dict[str, list[str]] = {}
        self._attributes: dict[str, str] = {}
        self._subfields: list[tuple[str, str]] = []
        self._code = ""
        self._text: list[str] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        """Marks of other kinds, such as `<i>`, part no text."""
        kind = name.rpartition(":")[2]
        if kind not in _PARTS:
            return
        self._text.clear()
        if kind in ("datafield", "controlfield"):
            self._attributes = attributes
            self._subfields = []
        elif kind == "subfield":
            self._code = attributes.get("code", "")

    def _end(self, name: str) -> None:
        kind = name.rpartition(":")[2]
        if kind not in _PARTS:
            return
        text = "".join(self._text)
        if kind == "subfield":
            self._subfields.append(((self._code or " ")[0], text))
        elif kind in ("datafield", "controlfield"):
            self.fields.append(self._field(text))
        elif kind == "leader":
            self.leader = _unwrapped(text)
        self._text.clear()

    def _field(self, text: str) -> Field:
        """By its tag, whichever element it came in."""
        tag = f"{self._attributes['tag'].strip():>03}"
        if not _TAG.fullmatch(tag):
            raise expat.ExpatError(f"tag {tag[:40]!r}")
        if is_control(tag):
            if self._subfields:
                self.wrong.setdefault("control_subfields", []).append(tag)
                text = " ".join(value for _, value in self._subfields)
            return Field(tag, "", (), _unwrapped(text))
        if not self._subfields and text.strip():
            self.wrong.setdefault("subfields_missing", []).append(tag)
            self._subfields = [("a", text)]
        one, two = (f"{self._attributes.get(name, ' '):1}"[0] for name in ("ind1", "ind2"))
        return Field(tag, one + two, tuple(self._subfields))


def _unwrapped(text: str) -> str:
    """Without the line ends and blanks that indenting puts around what has fixed places."""
    return text.strip() if "\n" in text else text


def write(marc: Marc) -> str:
    """A `record` element; characters that XML forbids are left out, or blanks in what has fixed places."""
    lines = ["  <record>", f"    <leader>{_placed(marc.leader)}</leader>"]
    for field in marc.fields:
        tag = _attribute(field.tag)
        if is_control(field.tag):
            lines.append(f"    <controlfield tag={tag}>{_placed(field.data)}</controlfield>")
            continue
        one, two = map(_attribute, field.indicators)
        lines.append(f"    <datafield tag={tag} ind1={one} ind2={two}>")
        lines += (
            f"      <subfield code={_attribute(code)}>{_text(value)}</subfield>" for code, value in field.subfields
        )
        lines.append("    </datafield>")
    return "\n".join([*lines, "  </record>\n"])


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("", text), {"\r": "&#13;"})


def _placed(text: str) -> str:
    """Of which each character has its place."""
    return _text(_FORBIDDEN.sub(" ", text))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub(" ", text))
