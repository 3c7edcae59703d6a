"""Refusals of the catalogue domain."""

from __future__ import annotations

from server.errors import DomainError


class UnknownRecordError(DomainError):
    """No such bibliographic record."""

    code = "unknown_record"
    status = 404
    title = "There is no such title in the catalogue."


class UnknownItemError(DomainError):
    """No such item."""

    code = "unknown_item"
    status = 404
    title = "There is no item with this barcode."


class BarcodeTakenError(DomainError):
    """`barcode` belongs to another item."""

    code = "barcode_taken"
    status = 409
    title = "Another copy has this barcode. Scan again, or look at that copy."


class BarcodeIsCardError(DomainError):
    """A desk that scans one number could not tell the item from the card of `barcode`."""

    code = "barcode_is_card"
    status = 409
    title = "A reader's card has this number. Put another label on the copy."


class ItemStateError(DomainError):
    """The life cycle has no such step from `status`."""

    code = "item_state"
    status = 409
    title = "This cannot be done with a copy in its present state."


class ItemInUseError(DomainError):
    """Lending has the item: `status` is on_loan or on_hold_shelf."""

    code = "item_in_use"
    status = 409
    title = "The copy is on loan or kept for a patron. Settle that at the desk first."


class BadIsbnError(DomainError):
    """Not 10 or 13 digits with the right check digit."""

    code = "bad_isbn"
    status = 422
    title = "This is no ISBN: the check digit is wrong or digits are missing. Type it again from the book."


class LookupEmptyError(DomainError):
    """Neither the pool nor another catalogue's answer that is kept has it."""

    code = "lookup_empty"
    status = 404
    title = "No record is known for this ISBN. Look it up again, or catalogue the title by hand."


class UnknownImportError(DomainError):
    """Never was, cancelled, or removed after its time."""

    code = "unknown_import"
    status = 404
    title = "There is no such import. Reports are removed after 30 days."


class TooManyImportsError(DomainError):
    """`most` are allowed to wait or run."""

    code = "too_many_imports"
    status = 409
    title = "Too many imports are waiting. Wait until one is finished, or cancel one."


class ImportMappingError(DomainError):
    """The holdings mapping makes no sense."""

    code = "import_mapping"
    status = 422
    title = (
        "The holdings mapping cannot be read. Write 852, 905 or 952, or a tag and its subfields: "
        "952:barcode=p,call_number=o"
    )


class ImportFileError(DomainError):
    """No file, an empty one, or one over `most_mib`."""

    code = "import_file"
    status = 422
    title = "Send one MARC file that is not empty and not over the limit."


class FileRemovedError(DomainError):
    """Of a dry run, whose file is kept for an hour, or was imported meanwhile."""

    code = "import_file_removed"
    status = 409
    title = "The file of this dry run is not here any more. Send it again."


class ClassTableError(DomainError):
    """What is `wrong` in which `line`: encoding, columns, quotes, cells, code, caption, or it is there twice, or
    there are too_many."""

    code = "class_table"
    status = 422
    title = (
        "The table of classes cannot be read, so the old one stays. Save it as CSV in UTF-8 or GB 18030 with the "
        "columns code, caption_zh and caption_en; a code begins with a capital letter, is there once and has a caption."
    )


class MixedFormatsError(DomainError):
    """How many records there are of each format."""

    code = "mixed_formats"
    status = 409
    title = "The catalogue holds MARC 21 and CNMARC records. Say which to export; the others are left out."


class RecordsTooLongError(DomainError):
    """`records` do not fit into ISO 2709."""

    code = "records_too_long"
    status = 409
    title = "Some records are too long for ISO 2709. Export as MARCXML, or leave them out."
