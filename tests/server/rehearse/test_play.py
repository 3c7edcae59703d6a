"""What the commands answer, each through the door that it is for. Written as a library would write it."""

import json
from pathlib import Path
from typing import Any

import pytest

from carrel.cli import main

LIBRARY: dict[str, Any] = {
    "library": {
        "zone": "Europe/Helsinki",
        "currency": "EUR",
        "branches": ["main", "north"],
        "closed_weekdays": ["sun"],
    },
    "policy": {"max_loans": 3, "fee_limit": 5},
    "rules": [{"class": "adult", "type": "book", "days": 7, "renewals": 1, "fee_per_open_day": 0.5, "cap": 2}],
    "patrons": {
        "P1": {"pin": 1357, "expires": "2026-12-31"},
        "P2": {"blocked": ["damage", "manual"]},
        "KID": {"born": "2016-01-01", "guardian": "P1"},
        "BIG": {"born": "1999-01-01", "guardian": "P1"},
        "DEBT": {"owes": "4.50"},
    },
    "items": {
        "B1": {"record": "R1", "price": 20, "tags": ["E004", "E005"]},
        "B2": {"record": "R1", "branch": "north"},
        "B3": {"record": {"id": "R3", "title": "Three"}},
        "B4": {},
        "GONE": {"status": "withdrawn"},
    },
}


@pytest.fixture
def played(tmp_path: Path, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Plays actions, each a minute after the one before."""

    def play(*actions: dict[str, Any], **over: Any) -> Any:
        timed = [{"at": f"2026-01-05T10:{minute:02}"} | action for minute, action in enumerate(actions)]
        file = tmp_path / "case.json"
        file.write_text(json.dumps(LIBRARY | over | {"id": "a", "actions": timed}), encoding="utf-8")
        assert main(["rehearse", str(file)]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return json.loads(out)[0]

    return play


def told(case: Any) -> list[str]:
    return [one["reason"] or one["result"] for one in case["results"]]


def desk(cmd: str, **fields: Any) -> dict[str, Any]:
    return {"actor": "desk", "cmd": cmd} | fields


def act(actor: str, cmd: str, **fields: Any) -> dict[str, Any]:
    return {"actor": actor, "cmd": cmd} | fields


CHECK = {"check": True}


def test_readers_act_for_themselves_and_guardians_renew_for_children_under_age(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("checkout", patron="KID", item="B1"),
        desk("checkout", patron="BIG", item="B3"),
        act("P1", "renew", patron="KID", item="B1"),
        act("P1", "renew", patron="BIG", item="B3"),
        act("P1", "place_hold", patron="KID", record="R3"),
        act("P1", "patron_info", patron="KID"),
        act("KID", "patron_info", patron="P1"),
        act("reader", "renew", patron="BIG", item="B3"),
        act("P1", "charge", amount=1),
    )
    assert told(case) == [
        "ok", "ok", "ok", "not_your_card", "not_your_card", "ok", "not_your_card", "ok", "not_permitted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "cmd", ["waive", "charge", "pay", "withdraw", "set_rule", "delete_patron", "block", "declare_lost"]
)
def test_a_kiosk_decides_nothing(played, cmd: str) -> None:  # type: ignore[no-untyped-def]
    assert told(played(act("kiosk-1", cmd, patron="P1", item="B1", amount=1, reason="so"))) == ["not_permitted"]


def test_a_rule_is_changed_where_it_is_named_and_stays_otherwise(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("set_rule", **{"class": "adult", "type": "book", "days": 1}),
        desk("checkout", patron="P1", item="B1"),
        desk("checkin", item="B1") | {"at": "2026-01-12T10:00"},
        desk("set_rule", rule={"class": "adult", "type": "book", "hours": 2}) | {"at": "2026-01-12T10:01"},
        desk("set_rule", policy={"max_loans": 1}) | {"at": "2026-01-12T10:01"},
        desk("checkout", patron="P1", items=["B1", "B3"]) | {"at": "2026-01-12T10:02"},
    )
    results = case["results"]
    assert results[1]["due"] == "2026-01-06T23:59:59+02:00"
    assert results[2]["fee"] == "2.00"
    assert [one["due"] for one in results[5]["items"]] == ["2026-01-12T12:02:00+02:00", None]
    assert (results[5]["result"], results[5]["reason"]) == ("partial", "loan_limit")


def test_items_are_sent_and_withdrawn_from_the_shelf_only(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("checkout", patron="P1", item="B1"),
        desk("withdraw", item="B1"),
        desk("send", item="B1", to="north"),
        desk("send", item="B3", to="east"),
        desk("send", item="B3", to="north"),
        desk("checkin", item="B3", branch="main"),
        desk("checkin", item="B3", branch="north"),
        desk("checkout", item="B3", patron="P1", branch="north"),
        desk("checkout_cancel", item="B3", branch="north"),
        desk("checkout", item="B3", patron="P1", branch="north"),
        desk("checkin", item="B3", branch="north"),
        desk("withdraw", item="B4", reason="worn out"),
        desk("withdraw", item="B4"),
        desk("send", item="B4", to="north"),
        desk("send", item="NONE", to="north"),
        desk("withdraw", item="NONE"),
        CHECK,
    )
    assert told(case) == [
        "ok", "item_in_use", "item_in_use", "unknown_branch", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok",
        "item_state", "item_state", "unknown_item", "unknown_item",
    ]  # fmt: skip
    ways = [(one["route"], one["route_to"]) for one in case["results"][5:11] if "route" in one]
    assert ways == [("transit", "north"), ("shelf", "north"), ("shelf", "north"), ("transit", "main")]
    states = {barcode: (one["status"], one["transit_to"]) for barcode, one in case["checks"][0]["items"].items()}
    assert states["B3"] == ("in_transit", "main")
    assert states["B4"] == ("withdrawn", None)


@pytest.mark.parametrize(("cmd", "left"), [("withdraw", None), ("send", "B3")])
def test_who_an_item_was_on_its_way_to_waits_again_when_it_goes_elsewhere(played, cmd: str, left: str | None) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("checkout", patron="P1", item="B3"),
        act("BIG", "place_hold", record="R3", pickup="north"),
        desk("checkin", item="B3"),
        desk(cmd, item="B3", to="main") if left else desk(cmd, item="B3"),
        CHECK,
        desk("checkin", item="B3", branch="main"),
        CHECK,
    )
    holds = [[(one["state"], one["position"], one["set_aside"]) for one in check["holds"]] for check in case["checks"]]
    assert holds == [[("waiting", 1, None)], [("in_transit", 0, left)] if left else [("waiting", 1, None)]]


def test_what_was_lost_comes_over_the_desk_before_it_is_sent(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("checkout", patron="P1", item="B1"),
        desk("declare_lost", item="B1"),
        desk("send", item="B1", to="north"),
        desk("checkin", item="B1"),
        CHECK,
    )
    assert told(case) == ["ok", "ok", "item_state", "ok"]
    assert case["checks"][0]["balances"]["P1"] == "0.00"


def test_the_desk_names_items_alone_and_several_at_once(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("checkout", patron="P1", item="B1"),
        desk("renew", item="B1"),
        desk("renew", item="B3"),
        desk("renew", item="NONE"),
        act("P1", "pin", new_pin="8024"),
        desk("withdraw", items=["B1", "B3"]),
        desk("send", item="B4", branch="north"),
        desk("declare_lost", patron="P2", item="B1"),
        desk("charge", patron="P1", amount=1, item="NONE"),
        desk("block", patron="P1", until="2026-01-06"),
        desk("checkout", patron="P1", item="B2") | {"at": "2026-01-06T23:00"},
        desk("checkout", patron="P1", item="B2", override="patron_blocked", override_reason="x")
        | {"at": "2026-01-06T23:00"},
    )
    assert told(case) == [
        "ok", "ok", "not_on_loan", "unknown_item", "wrong_pin", "item_in_use", "ok", "not_your_loan", "unknown_item",
        "ok", "patron_blocked", "ok",
    ]  # fmt: skip
    assert [one["result"] for one in case["results"][5]["items"]] == ["refused", "ok"]


def test_blocks_are_placed_until_a_time_and_lifted_by_reason(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("unblock", patron="P2", reason="damage"),
        desk("checkout", patron="P2", item="B1"),
        desk("block", patron="P2", blocked=False),
        desk("checkout", patron="P2", item="B1"),
        desk("unblock", patron="P2"),
        act("sip2", "block", patron="P1", reason="card_retained", until="2026-01-05T10:07"),
        act("P1", "place_hold", record="R3"),
        act("P1", "place_hold", record="R3"),
        desk("block", patron="NOBODY"),
    )
    assert told(case) == [
        "ok", "patron_blocked", "ok", "ok", "unknown_block", "ok", "patron_blocked", "ok", "unknown_patron",
    ]  # fmt: skip


def test_holds_are_found_by_title_item_or_number(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("checkout", patron="P1", items=["B1", "B3"]),
        act("KID", "place_hold", item="B1"),
        act("BIG", "place_hold", item="B1", any_copy=True, pickup="north"),
        act("BIG", "place_hold", record="R3", expires="2026-02-01"),
        act("BIG", "place_hold", record="NONE"),
        act("KID", "pause_hold", hold_id=2),
        act("KID", "pause_hold", item="B1", until="2026-01-04"),
        act("KID", "pause_hold", item="B1"),
        act("BIG", "cancel_hold", record="R3"),
        act("BIG", "resume_hold"),
        act("KID", "resume_hold", hold_id=1),
        CHECK,
    )
    assert told(case) == [
        "ok", "ok", "ok", "ok", "unknown_record", "unknown_hold", "hold_over", "ok", "ok", "ok", "ok",
    ]  # fmt: skip
    holds = [(one["patron"], one["item"], one["position"], one["pickup"]) for one in case["checks"][0]["holds"]]
    assert holds == [("KID", "B1", 1, "main"), ("BIG", None, 2, "north")]
    assert case["results"][3]["expires"] == "2026-02-01"


def test_money_is_counted_in_cents_and_never_too_much(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("charge", patron="DEBT", kind="damage", amount="0.50", item="B1"),
        act("kiosk", "checkout", patron="DEBT", item="B1"),
        desk("pay", patron="DEBT", amount=0.5, fee="damage"),
        desk("pay", patron="DEBT", amount=0.5, fee="damage"),
        desk("pay", patron="DEBT", amount="0.001"),
        desk("charge", patron="DEBT", amount=0),
        desk("waive", patron="DEBT", amount="4.51", reason="so"),
        desk("waive", patron="DEBT", amount="0", reason="so"),
        desk("waive", patron="DEBT", reason="so"),
        desk("waive", patron="DEBT", reason="so"),
        desk("waive", patron="NOBODY", reason="so"),
        desk("pay", patron="NOBODY", amount=1),
        desk("charge", patron="NOBODY", amount=1),
        CHECK,
    )
    assert told(case) == [
        "ok", "fee_limit", "ok", "unknown_fee", "payment_amount", "payment_amount", "overpaid", "payment_amount", "ok",
        "unknown_fee", "unknown_patron", "unknown_patron", "unknown_patron",
    ]  # fmt: skip
    assert case["checks"][0]["balances"]["DEBT"] == "0.00"


def test_a_payment_without_an_amount_is_of_all_that_is_owed(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("charge", patron="DEBT", kind="damage", amount="0.50"),
        desk("pay", patron="DEBT", fee="damage"),
        desk("pay", patron="DEBT", payment_id="p"),
        desk("charge", patron="DEBT", amount="1.00"),
        desk("pay", patron="DEBT", payment_id="p"),
        desk("pay", patron="P1"),
        {"parallel": [desk("pay", patron="DEBT"), desk("pay", patron="DEBT")]},
        desk("charge", patron="DEBT", amount="1.00"),
        desk("waive", patron="DEBT", reason="so"),
    )
    results = case["results"]
    assert told(case)[:6] == ["ok", "ok", "ok", "ok", "ok", "unknown_fee"]
    assert sorted(told(case)[6:8]) == ["ok", "unknown_fee"], "the second finds nothing that is owed"
    assert [results[n]["amount"] for n in (1, 2, 4, 9)] == ["0.50", "4.50", "4.50", "1.00"]
    assert results[9]["balance"] == "0.00"


def test_cards_and_pins_at_every_door(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        act("sip2", "patron_info", patron="P1", pin="1357"),
        act("sip2", "patron_info", patron="P1", pin="0000"),
        act("P1", "pin", old="1357", new="2846"),
        desk("pin", patron="P1", new_pin="9173"),
        act("kiosk", "renew_all", patron="P1", pin="2846"),
        act("kiosk", "renew_all", patron="P1", pin="9173"),
        act("sip2", "place_hold", patron="P1", record="R3", pin="1"),
        desk("replace_card", card="P1", new_card="N1"),
        desk("replace_card", patron="P2", card="N1"),
        desk("replace_card", patron="P1", reason="lost"),
        desk("replace_card", patron="P1", lost=True),
        act("kiosk", "patron_info", card="NOBODY"),
        desk("delete_patron", patron="P1"),
        desk("delete_patron", patron="P1"),
        desk("pin", patron="NOBODY", new_pin="9173"),
        CHECK,
    )
    assert told(case) == [
        "ok", "wrong_pin", "ok", "ok", "wrong_pin", "ok", "wrong_pin", "ok", "card_taken", "ok", "no_active_card",
        "unknown_card", "ok", "unknown_patron", "unknown_patron",
    ]  # fmt: skip
    assert case["checks"][0]["patrons"]["P1"]["anonymised"]
    assert "1357" not in json.dumps(case)


def test_whatever_comes_over_a_terminal_is_here(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        act("sip2", "checkin", item="B1"),
        act("kiosk", "checkin", item="B1"),
        desk("checkin", item="B1"),
        desk("checkin", item="B1", accept_not_on_loan=True),
        desk("checkin", items=["GONE", "NONE"]),
    )
    assert told(case) == ["ok", "not_on_loan", "not_on_loan", "ok", "item_withdrawn"]


def test_a_kiosk_that_asks_for_the_pin_does_nothing_without(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        act("kiosk", "checkout", patron="P1", item="B1"),
        act("kiosk", "checkout", patron="P1", item="B1", pin=1357),
        act("kiosk", "renew_all", patron="P1"),
        act("kiosk", "patron_info", patron="P1"),
        act("kiosk", "checkin", item="B1"),
        desk("checkout", patron="P1", item="B1"),
        policy={"kiosk_pin": True},
    )
    assert told(case) == ["wrong_pin", "ok", "wrong_pin", "wrong_pin", "ok", "ok"]


def test_a_child_may_be_named_before_its_guardian_who_has_one_too(played) -> None:  # type: ignore[no-untyped-def]
    born = {"born": "2016-01-01"}
    patrons = {"KID": born | {"guardian": "MUM"}, "MUM": {"guardian": "GRAN"}, "GRAN": {}}
    case = played(
        desk("checkout", patron="KID", item="B1"), act("MUM", "renew", patron="KID", item="B1"), patrons=patrons
    )
    assert told(case) == ["ok", "ok"]


def test_what_a_cancelled_hold_leaves_on_the_hold_shelf_is_on_the_staffs_list(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("checkout", patron="P1", item="B3"),
        act("BIG", "place_hold", record="R3"),
        act("KID", "place_hold", record="R3", pickup="north"),
        desk("checkin", item="B3"),
        act("BIG", "cancel_hold", record="R3"),
        CHECK,
    )
    assert case["results"][-1]["route"] == "transit"
    (left,) = case["checks"][0]["staff"]["hold_shelf_expired"]
    assert (left["item"], left["code"], left["detail"]["route_to"]) == ("B3", "hold_cancelled", "north")


def test_the_same_request_gets_the_same_answer_and_another_one_under_its_id_none(played) -> None:  # type: ignore[no-untyped-def]
    again = act("kiosk", "checkout", patron="P1", item="B1", request_id="r1")
    longer = desk("renew", item="B1", request_id="r2")
    back = desk("checkin", item="B1", branch="north", request_id="r3")
    case = played(again, again, again | {"item": "B3"}, CHECK, longer, back, back, longer)
    assert told(case) == ["ok", "ok", "request_id_reused", "ok", "ok", "ok", "ok"]
    assert [one.get("route") for one in case["results"][4:6]] == ["transit", "transit"]
    assert [loan["item"] for loan in case["checks"][0]["loans"]] == ["B1"]


def test_the_night_gives_up_what_is_long_overdue(played) -> None:  # type: ignore[no-untyped-def]
    case = played(
        desk("checkout", patron="P1", item="B1"),
        {"at": "2026-02-20T02:00", "cmd": "nightly"},
        CHECK | {"at": "2026-02-20T02:00"},
        policy={"lost_after_days": 30},
    )
    assert case["results"][1]["marked_lost"] == 1
    (state,) = case["checks"]
    assert (state["items"]["B1"]["status"], state["balances"]["P1"]) == ("lost", "20.00")
    assert [task["item"] for task in state["staff"]["lost"]] == ["B1"]


def test_a_journal_row_without_a_number_counts_once_and_keeps_its_own_time(played) -> None:  # type: ignore[no-untyped-def]
    row = {"at": "2026-01-02T09:00", "cmd": "checkout", "patron": "P1", "items": ["B1", "NONE"]}
    back = {"at": "2026-01-03T09:00", "cmd": "checkin", "item": "B1"}
    case = played(
        {"cmd": "replay", "rows": [back, row]}, {"cmd": "replay", "rows": [row | {"patron": "NOBODY"}]}, CHECK
    )
    first, second = case["results"]
    assert [(one["result"], one["reason"]) for one in first["rows"]] == [("ok", None), ("partial", "unknown_item")]
    assert (first["result"], second["result"]) == ("partial", "refused")
    assert case["checks"][0]["loans"] == []
    assert [task["code"] for task in case["checks"][0]["conflicts"]] == ["unknown_item", "unknown_card", "unknown_item"]
