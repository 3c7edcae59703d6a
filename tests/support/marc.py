"""Small MARC records made by hand, and files of them; nothing of the product takes part."""

from __future__ import annotations

from collections.abc import Sequence

Fields = Sequence[tuple[str, str]]
"""(tag, content): of data fields the two indicators, then `$a...$b...`."""

DREAM: Fields = (
    ("001", "t0001"),
    ("003", "CarrelTest"),
    ("008", "200101s1996    cc            000 1 chi d"),
    ("020", "  $a978-7-02-000220-7 (pbk.) :$cCNY59.70"),
    ("100", "1 $6880-01$aCao, Xueqin,$d1717?-1763."),
    ("245", "10$6880-02$aHong lou meng /$cCao Xueqin zhu."),
    ("260", "  $6880-03$aBeijing :$bRen min wen xue chu ban she,$c1996."),
    ("650", " 0$aFamilies$zChina$vFiction."),
    ("880", "1 $6100-01/$1$a曹雪芹,$d1717?-1763."),
    ("880", "10$6245-02/$1$a紅樓夢 /$c曹雪芹著."),
    ("880", "  $6260-03/$1$a北京 :$b人民文學出版社,$c1996."),
)
EMMA: Fields = (
    ("001", "t0002"),
    ("003", "CarrelTest"),
    ("008", "200101s2003    enk           000 1 eng d"),
    ("020", "  $a0141439580"),
    ("050", "00$aPR4034$b.E5 2003"),
    ("100", "1 $aAusten, Jane,$d1775-1817."),
    ("245", "10$aEmma :$ba novel /$cJane Austen."),
    ("250", "  $aNew ed."),
    ("260", "  $aLondon :$bPenguin,$c2003."),
    ("952", "  $pX0001$oPR4034 E5$cStacks$yBOOK$g35.50"),
)
LU: Fields = (
    ("001", "t0003"),
    ("010", "  $a978-7-02-008872-0$dCNY25.00"),
    ("100", "  $a20200101d2013    em y0chiy50      ea"),
    ("101", "0 $achi"),
    ("200", "1 $a呐喊$9na han$e鲁迅小说集$f鲁迅著"),
    ("210", "  $a北京$c人民文学出版社$d2013"),
    ("606", "0 $a短篇小说$x小说集$y中国$z现代"),
    ("690", "  $aI210.6$v5"),
    ("701", " 0$a鲁迅$9lu xun$4著"),
    ("905", "  $aCT$dI210.6$e12$bC0001$bC0002"),
)
MARC21, CNMARC = "00000nam a2200000 a 4500", "00000nam0 2200000   450 "


def numbered(fields: Fields, number: int, *, isbn: bool = False) -> Fields:
    """The same with another control number and title."""
    title = "200" if any(tag == "200" for tag, _ in fields) else "245"
    kept = [(tag, text) for tag, text in fields if tag not in ("001", "880") and (isbn or tag not in ("010", "020"))]
    return [
        ("001", f"n{number:06}"),
        *((tag, f"{text[:2]}$aTitle {number}" if tag == title else text) for tag, text in kept),
    ]


def iso2709(fields: Fields, *, leader: str = MARC21, encoding: str = "utf-8", count: str = "bytes") -> bytes:
    """A record; `count` "characters" makes the mistake of programs that count those."""
    directory, body = "", b""
    place = 0
    for tag, text in fields:
        data = text.replace("$", "\x1f") if tag >= "010" else text
        data = data.replace("/\x1f1", "/$1") + "\x1e"
        piece = data.encode(encoding)
        size = len(piece) if count == "bytes" else len(data)
        directory += f"{tag}{size:04}{place:05}"
        body += piece
        place += size
    base = 24 + len(directory) + 1
    head = f"{base + place + 1:05}{leader[5:12]}{base:05}{leader[17:]}"
    return head.encode("ascii") + directory.encode("ascii") + b"\x1e" + body + b"\x1d"


def many(count: int, *, leader: str = MARC21) -> bytes:
    """A file of different records."""
    return b"".join(iso2709(numbered(EMMA, number), leader=leader) for number in range(count))
