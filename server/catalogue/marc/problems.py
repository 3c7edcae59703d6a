"""What can be wrong with a record of a MARC file, and what to do about it, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Language = Literal["en", "zh-CN"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is wrong; `fatal` when the record cannot be taken over. `detail` holds facts, no sentence."""

    code: str
    detail: str = ""
    fatal: bool = False


class Words(NamedTuple):
    """What is wrong and what to do, in English and in Chinese."""

    what: str
    to_do: str
    what_zh: str
    to_do_zh: str

    def said(self, language: Language) -> tuple[str, str]:
        """(what is wrong, what to do)."""
        return (self.what_zh, self.to_do_zh) if language == "zh-CN" else (self.what, self.to_do)


WORDS: dict[str, Words] = {
    "no_leader": Words(
        "These bytes are no MARC record: they do not begin with a leader.",
        "Compare the place in the file with its source; export the record again.",
        "这段数据不是 MARC 记录：开头没有头标区。",
        "请与数据来源核对该位置，重新导出这条记录。",
    ),
    "cut_off": Words(
        "The record ends before its end mark: the file was cut off here or two files were joined badly.",
        "Get this record again from its source. The records after it were read.",
        "记录在结束符之前中断：文件在此处被截断，或两个文件拼接有误。",
        "请从来源重新获取这条记录。其后的记录已照常读取。",
    ),
    "too_long": Words(
        "The record is longer than a megabyte.",
        "Look whether the record is damaged; a sound one of this size must be catalogued by hand.",
        "记录超过 1 MB。",
        "请检查记录是否损坏；若数据无误，请手工编目。",
    ),
    "length_wrong": Words(
        "The leader tells another length than the record has. It was read up to its end mark.",
        "Nothing, if the record looks right: programs that count characters instead of bytes write such lengths.",
        "头标区所记长度与实际不符，已读至记录结束符。",
        "若记录内容正确则无需处理：按字符而非字节计长的程序会写出这样的长度。",
    ),
    "directory_wrong": Words(
        "The directory does not fit the fields. They were told apart by their end marks.",
        "Look at the record: its fields should be those of the source.",
        "目次区与字段不符，已按字段结束符划分字段。",
        "请查看记录，确认字段与来源一致。",
    ),
    "directory_unreadable": Words(
        "The directory cannot be read, and the fields cannot be told without it.",
        "Export the record again from its source, best as MARCXML.",
        "目次区无法读取，因而无法区分字段。",
        "请从来源重新导出这条记录，最好用 MARCXML。",
    ),
    "bad_characters": Words(
        "Some bytes are no characters of the file's encoding; they were replaced by U+FFFD.",
        "Correct the fields named on the page. If many records have this, import the file with another encoding.",
        "部分字节在该编码中不是有效字符，已替换为 U+FFFD。",
        "请在页面上更正所列字段。若多条记录如此，请换用其他编码重新导入。",
    ),
    "wrong_encoding": Words(
        "The record cannot be read in the file's encoding.",
        "Import the file again and name its encoding: utf-8, gb18030 or marc-8.",
        "无法按该编码读取这条记录。",
        "请指定编码（utf-8、gb18030 或 marc-8）后重新导入。",
    ),
    "bad_xml": Words(
        "This record is not well-formed XML.",
        "Correct the place named in the file, or get the record again from its source.",
        "这条记录不是格式良好的 XML。",
        "请更正文件中所示位置，或从来源重新获取这条记录。",
    ),
    "indicators_wrong": Words(
        "A field does not have two indicators; blanks were put in their place, or the surplus left out.",
        "Nothing, unless the field's indicators matter to you.",
        "字段的指示符不是两个，已用空格补足或略去多余部分。",
        "一般无需处理，除非您需要这些指示符。",
    ),
    "subfields_missing": Words(
        "A field has text without subfields; it was taken as subfield a.",
        "Look at the field named.",
        "字段有内容但没有子字段，已作为子字段 a 处理。",
        "请查看所列字段。",
    ),
    "control_subfields": Words(
        "A field that has no subfields (001 to 009) came with some; their texts were taken as the field's.",
        "Look at the field named.",
        "控制字段（001 至 009）不应有子字段，已将其子字段的文字作为字段内容。",
        "请查看所列字段。",
    ),
    "no_title": Words(
        "The record has no title (MARC 21: 245 $a, CNMARC: 200 $a).",
        "Add the title at the source. If all records have this, the file has the other format: name it.",
        "记录没有题名（MARC 21：245 $a；CNMARC：200 $a）。",
        "请在来源处补上题名。若全部记录如此，则文件是另一种格式，请指定格式。",
    ),
    "not_bibliographic": Words(
        "This is an authority or holdings record, not a bibliographic one.",
        "Import bibliographic records only.",
        "这是规范记录或馆藏记录，不是书目记录。",
        "请只导入书目记录。",
    ),
    "deleted": Words(
        "The leader says that this record is deleted at its source.",
        "If the library has it, withdraw its copies by hand.",
        "头标区表明这条记录在来源处已被删除。",
        "若本馆有此书，请手工注销馆藏。",
    ),
    "bad_isbn": Words(
        "An ISBN has a wrong check digit or length. The record was taken over; it is not found by this ISBN.",
        "Compare it with the book and correct it.",
        "ISBN 校验位或长度有误。记录已导入，但不能用此 ISBN 检索。",
        "请核对原书并更正。",
    ),
    "title_shortened": Words(
        "A text is longer than the catalogue's column; it was shortened there. The MARC record is kept whole.",
        "Nothing.",
        "文字超过目录字段长度，已截短显示。MARC 记录完整保留。",
        "无需处理。",
    ),
    "isbn_shared": Words(
        "A record in the catalogue has the same ISBN and another title. This one was added beside it.",
        "Compare the two: volumes of a set may share an ISBN, misprints too.",
        "目录中另有记录的 ISBN 相同但题名不同，此条已另行添加。",
        "请比较两条记录：多卷书可能共用一个 ISBN，也可能是误印。",
    ),
    "number_shared": Words(
        "A record in the catalogue has the same control number, but another title and no ISBN in common. Nothing says "
        "who gave the numbers (003), so this one was added beside it.",
        "Compare the two. If they are the same book, give the copies of one the other's title number and hide it; else "
        "nothing.",
        "目录中另有记录的控制号相同，但题名不同且没有相同的 ISBN；记录未注明编号机构（003），此条已另行添加。",
        "请比较两条记录：若为同一本书，请将其中一条的馆藏改为另一条的书目编号并将其隐藏；否则无需处理。",
    ),
    "ambiguous_match": Words(
        "Several records in the catalogue fit this one equally well, so none was touched.",
        "Give the copies of all to one of those records, take the ISBN from the others and hide them. Then import this "
        "one again.",
        "目录中有多条记录同样匹配，因此均未改动。",
        "请将这些记录的馆藏都改到其中一条，删去其余记录的 ISBN 并将其隐藏，然后重新导入。",
    ),
    "barcode_taken": Words(
        "A copy's barcode belongs to another record's copy. The record was taken over, this copy was not.",
        "Look at the copy with this barcode.",
        "馆藏条码已属于另一条记录的馆藏。书目已导入，此馆藏未导入。",
        "请查看该条码对应的馆藏。",
    ),
    "barcode_is_card": Words(
        "A copy's barcode is the number of a reader's card. The record was taken over, this copy was not.",
        "Put another label on the copy and add it by hand.",
        "馆藏条码与一张读者证的号码相同。书目已导入，此馆藏未导入。",
        "请为该馆藏换贴条码，然后手工添加。",
    ),
    "unknown_branch": Words(
        "A copy's branch is none of the library's. The record was taken over, this copy was not.",
        "Correct the branch in the file. Or name it in the lending settings; where none is named there, allow new "
        "branches. Then import the file again.",
        "馆藏所注的分馆不是本馆的分馆。书目已导入，此馆藏未导入。",
        "请更正文件中的分馆，或在借阅设置中添加该分馆；若该处未列出任何分馆，请允许新分馆。然后重新导入。",
    ),
    "bad_branch": Words(
        "What a copy says of its branch cannot be a branch's code. The record was taken over, this copy was not.",
        "Write a code of Latin letters, digits, - and _ in the file. Or leave the branch out of the holdings mapping: "
        "the copies then belong to the branch chosen for the import. Then import the file again.",
        "馆藏所注的分馆不能作为分馆代码。书目已导入，此馆藏未导入。",
        "请在文件中改用由拉丁字母、数字、- 和 _ 组成的代码；或在馆藏字段映射中去掉分馆，"
        "馆藏即归导入时所选的分馆。然后重新导入。",
    ),
    "bad_type": Words(
        "What a copy says of its type cannot be a type's code. The copy was taken over as a book.",
        "Write its type on the copy's page, or import the file with a code of Latin letters, digits, - and _ there.",
        "馆藏所注的类型不能作为类型代码。馆藏已作为图书导入。",
        "请在馆藏页面填写类型，或在文件中改用由拉丁字母、数字、- 和 _ 组成的代码。",
    ),
    "item_shortened": Words(
        "A text of a copy is longer than the catalogue's column; it was shortened there.",
        "Look at the copy: does its label still say enough?",
        "馆藏的一项文字超过目录字段长度，已截短。",
        "请查看该馆藏，确认书标上的内容仍然够用。",
    ),
    "bad_item": Words(
        "A copy's field cannot be read. The record was taken over, this copy was not.",
        "Add the copy by hand, or correct the holdings mapping.",
        "馆藏字段无法读取。书目已导入，此馆藏未导入。",
        "请手工添加馆藏，或更正馆藏字段映射。",
    ),
    "bad_price": Words(
        "A copy's price cannot be told from what the record says. The copy was taken over without a price.",
        "Write the price on the copy's page.",
        "无法从记录判断馆藏价格。馆藏已导入，但没有价格。",
        "请在馆藏页面填写价格。",
    ),
    "not_stored": Words(
        "The database refused this record.",
        "Tell the makers of the program, with this line of the report.",
        "数据库拒绝了这条记录。",
        "请将报告中的此行告知程序开发者。",
    ),
}
"""By code."""
