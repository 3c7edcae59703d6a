from decimal import Decimal

import pytest

from server.catalogue.service import Item, Record
from server.pages.catalogue import forms

RECORD = Record(
    7, "呐喊", "鲁迅", "1923", "", "zh", "9787020002207", "I210.6", "I210.6/1", 1, 1,
    subjects=("Stories", "China"), summary="A line\nand another",
)  # fmt: skip
ITEM = Item(
    1, "30000001", 7, "呐喊", "鲁迅", "main", "main", "stacks", "I210.6/1", "book", "on_shelf", True, Decimal("35.50"),
    1, None, "", None,
)  # fmt: skip


def test_a_form_that_was_only_sent_back_changes_nothing():
    before = forms.record_draft(RECORD)
    texts = forms.sent(forms.RECORD, list(before.texts.items()))
    body = forms.record_changes(texts, before)[1]
    assert body is not None
    assert body.model_dump(exclude_unset=True) == {}


def test_only_what_was_changed_is_judged():
    odd = forms.record_draft(Record(7, "T", "", "", "", "an odd language", "123", "", "", 0, 0))
    texts = forms.sent(forms.RECORD, list(odd.texts.items())) | {"year": "2001"}
    draft, body = forms.record_changes(texts, odd)
    assert draft.errors == {}
    assert body is not None
    assert body.model_dump(exclude_unset=True) == {"year": "2001"}


def test_lists_are_a_line_each_and_spaces_are_tidied():
    told = [("subjects", " One \r\n\r\n  two   words "), ("title", "  A   title "), ("summary", "a\r\nb")]
    texts = forms.sent(forms.RECORD, told)
    assert (texts["subjects"], texts["title"], texts["summary"]) == ("One\ntwo words", "A title", "a b")
    body = forms.new_record(texts | {"kind": "book"})[1]
    assert body is not None
    assert body.subjects == ("One", "two words")


@pytest.mark.parametrize(
    ("field", "text"),
    [("title", ""), ("isbn", "9787020002208"), ("language", "Chinese!"), ("kind", "thing"), ("year", "x" * 41)],
)
def test_what_is_wrong_with_a_title_is_told_at_its_field(field, text):
    texts = dict(forms.record_draft(RECORD).texts) | {"summary": "", field: text}
    draft, body = forms.new_record(texts)
    assert (body, draft.errors) == (None, {field: "wrong"})


def test_an_emptied_price_is_unknown():
    before = forms.item_draft(ITEM)
    draft, body = forms.item_changes(dict(before.texts) | {"price": ""}, before)
    assert draft.errors == {}
    assert body is not None
    assert body.model_dump(exclude_unset=True) == {"price": None}


@pytest.mark.parametrize(
    ("field", "text"), [("barcode", "no spaces"), ("barcode", ""), ("price", "cheap"), ("tags", "0"), ("type", "a b")]
)
def test_what_is_wrong_with_a_copy_is_told_at_its_field(field, text):
    draft, body = forms.new_item(dict(forms.item_draft(ITEM).texts) | {field: text}, ready=True)
    assert (body, draft.errors) == (None, {field: "wrong"})
