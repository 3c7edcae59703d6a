"""A rehearsal's file: many ways to write it, and one sentence for each mistake."""

import json
from pathlib import Path
from typing import Any

import pytest

from carrel.cli import main
from server.rehearse.commands.table import COMMANDS
from server.rehearse.script import Case, read_script

OUT = {"at": "2026-01-05T10:00", "actor": "desk", "cmd": "checkout", "patron": "P1", "item": "B1"}
SHARED: dict[str, Any] = {
    "rules": [{"class": "*", "type": "*", "days": 14}],
    "patrons": {"P1": {}},
    "items": {"B1": {"record": "One"}},
}


def read(data: Any) -> tuple[Case, ...]:
    return tuple(case for case in read_script(data, COMMANDS) if isinstance(case, Case))


def play(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: Any, *options: str) -> tuple[int, Any, str]:
    file = tmp_path / "case.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    code = main(["rehearse", str(file), *options])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else None, err


def results(played: Any) -> list[tuple[str, str | None]]:
    return [(one["result"], one["reason"]) for case in played for one in case["results"]]


@pytest.mark.parametrize(
    "data",
    [
        SHARED | {"cases": [{"id": "a", "actions": [OUT]}]},
        SHARED | {"cases": {"a": {"actions": [OUT]}}},
        SHARED | {"id": "a", "actions": [OUT]},
        [SHARED | {"id": "a", "actions": [OUT]}],
        {"cases": [{"id": "a", "setup": SHARED, "actions": [OUT]}]},
        SHARED | {"items": [{"barcode": "B1", "record": "One"}], "cases": [{"id": "a", "actions": [OUT]}]},
    ],
)
def test_one_case_can_be_written_in_many_ways(data: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, played, err = play(tmp_path, capsys, data)
    assert (code, err, played[0]["id"], results(played)) == (0, "", "a", [("ok", None)])


def test_a_cases_setup_is_laid_over_the_shared_tables() -> None:
    setup = {
        "library": {"closed_weekdays": ["Sunday"]},
        "policy": {"max_loans": 1},
        "rules": [{"days": 3}, {"class": "child", "type": "*", "days": 5}],
        "patrons": {"P1": {"blocked": True}, "P2": {"class": "child"}},
    }
    shared = SHARED | {"patrons": {"P1": {"class": "staff"}}, "policy": {"max_loans": 9, "loan_days": 7}}
    (case,) = read(shared | {"cases": [{"id": "a", "setup": setup, "actions": [OUT]}]})
    assert case.policy == {"max_loans": 1, "loan_days": 7}
    assert [(rule.patron_class, rule.days) for rule in case.rules] == [("*", 3), ("child", 5)]
    assert (case.patrons["P1"].patron_class, case.patrons["P1"].blocked) == ("staff", True)
    assert list(case.patrons) == ["P1", "P2"]
    assert case.library.closed_weekdays == ["sun"]


def test_spans_of_closed_days_have_both_ends_in() -> None:
    (case,) = read(SHARED | {"library": {"closed_dates": ["2026-02-16/2026-02-18", "2026-05-01"]}, "actions": [OUT]})
    assert [str(day) for day in case.library.closed_dates] == ["2026-02-16", "2026-02-17", "2026-02-18", "2026-05-01"]


def wrong(change: Any, action: Any = None) -> Any:
    return SHARED | change | {"cases": [{"id": "a", "actions": [OUT if action is None else OUT | action]}]}


MISTAKES = [
    ("{", "is not JSON"),
    ("[]", '"cases" holds a list of cases'),
    ("7", "write an object with library"),
    ({"cases": [{"id": "a"}]}, "case 'a': \"actions\" holds a list"),
    (SHARED | {"cases": [{"id": "a", "actions": [OUT]}] * 2}, "two cases with the id 'a'"),
    (wrong({"library": {"zone": "Mars/Base"}}), "case 'a': library.zone: 'Mars/Base' is no time zone"),
    (wrong({"library": {"closed_weekdays": ["noday"]}}), "'noday' is not a weekday"),
    (wrong({"library": {"closed_dates": ["2026-13-01"]}}), "'2026-13-01' is not a day"),
    (wrong({"library": {"closed_dates_by_branch": {"east": []}}}), "'east' is not among the branches main"),
    (
        wrong({"policy": {"max_lones": 3}}),
        "policy.max_lones: there is no such key; there are currency, branches, max_loans",
    ),
    (wrong({"policy": {"max_loans": -3}}), "case 'a': policy.max_loans: -3: write 0 or more"),
    (wrong({"policy": {"currency": "yuan"}}), "policy.currency: 'yuan': write three capital letters such as CNY"),
    (wrong({"policy": {"fee_limit": "1.005"}}), "policy.fee_limit: '1.005': write an amount with at most 2 places"),
    (wrong({"library": {"branches": ["a b"]}}), "library.branches.0: 'a b': write letters, digits, - and _"),
    (wrong({"library": {"closed_weekdays": "mon"}}), "library.closed_weekdays: 'mon': write a list"),
    (wrong({"rules": [{"days": 0}]}), "case 'a': rule * / * / *.days: 0: write 1 or more"),
    (wrong({"rules": [{"class": "a b", "days": 3}]}), ".class: 'a b': write letters, digits, - and _"),
    (wrong({"rules": [7]}), "case 'a': rule 1: 7: write an object"),
    (
        wrong({"rules": [{"days": 3}, {"class": "adult", "days": 9}, {"class": "*", "days": 5}]}),
        "case 'a': rules 1 and 3 are both for * / * / *: leave one of them out",
    ),
    (
        SHARED | {"cases": [{"id": "a", "setup": {"rules": [{"hours": 3}, {"days": 5}]}, "actions": [OUT]}]},
        "case 'a', setup: rules 1 and 2 are both for",
    ),
    (wrong({"rules": [{"class": "adult"}]}), "case 'a': rule 1: write how long"),
    (wrong({"rules": [{"days": 3, "hours": 3}]}), "days or hours, not both"),
    (wrong({"rules": [{"days": 3, "cap": "1.005"}]}), "rule 1.cap: '1.005' has more than 2 places"),
    (wrong({"patrons": {"P1": {"expires": "soon"}}}), "case 'a': patrons.P1.expires: 'soon' is not a day"),
    (wrong({"patrons": {"P1": {"language": "de"}}}), "patrons.P1.language: 'de' is not known: write zh-CN or en"),
    (wrong({"patrons": {"P1": {"channels": ["sms"]}}}), "P1.channels: 'sms' is not known: write email or webhook"),
    (wrong({"patrons": {"P1": {"keeps_history": "x"}}}), "P1.keeps_history: 'x': write true or false"),
    (wrong({"patrons": {"P1": {"guardian": "P9"}}}), "patrons.P1.guardian: 'P9' is nobody"),
    (wrong({"patrons": {"P1": {"guardian": "P1"}}}), "patrons.P1.guardian: 'P1' would be guardian of themselves"),
    (wrong({"items": {"B1": {"price": "much"}}}), "items.B1.price: 'much' is not an amount"),
    (wrong({"items": {"B1": {"status": "on_loan"}}}), "items.B1.status: 'on_loan' cannot be set; lend it"),
    (wrong({"items": {"B1": {"branch": "east"}}}), "items.B1: 'east' is not among the branches main"),
    (wrong({}, {"cmd": "chekout"}), "case 'a', action 1: there is no cmd 'chekout'; did you mean checkout?"),
    (wrong({}, {"at": "noon"}), "case 'a', action 1: at: 'noon' is not a time"),
    (wrong({}, {"at": "0001-01-01T00:00"}), "at: '0001-01-01T00:00' is too far away: write a year from 1970 to 2199"),
    (wrong({}, {"at": "9999-12-31T10:00"}), "is too far away"),
    (wrong({"patrons": {"P1": {"card": "7"}, "P2": {"card": "7"}}}), "patrons.P2.card: '7' is somebody else's"),
    (wrong({"patrons": {"P1": {"owes": -3}}}), "patrons.P1.owes: -3 is less than 0"),
    (wrong({"patrons": {"张三": {}}}), "patrons.张三: '张三' cannot stand on a card or label"),
    (wrong({"items": {"B1": {"price": "-1"}}}), "items.B1.price: '-1' is less than 0"),
    (wrong({"items": {"书 1": {}}}), "items.书 1: '书 1' cannot stand on a card or label"),
    ('{"cases": [{"id": "\\ud800", "actions": []}]}', "has half a character"),
    ('{"cases": [' + "9" * 5000 + "]}", "is not JSON"),
    (wrong({}, {"patron": None}), "case 'a', action 1 (checkout): \"patron\" is missing"),
    (wrong({}, {"item": None}), "case 'a', action 1 (checkout): \"item\" is missing"),
    (wrong({}, {"item": "书"}), "case 'a', action 1 (checkout): item '书': write up to 32"),
    (wrong({}, {"branch": "east"}), "case 'a', action 1 (checkout): branch: 'east' is not among main"),
    (wrong({}, {"implicit_return": "yes"}), "implicit_return: 'yes': write true or false"),
    (wrong({}, {"cmd": "pay", "amount": "lots"}), "action 1 (pay): amount: 'lots' is not an amount"),
    (
        wrong({}, {"cmd": "charge", "amount": 1, "kind": "fun"}),
        "kind: 'fun' is no kind of fee; there are overdue, lost",
    ),
    (
        wrong({}, {"cmd": "replay", "rows": [{"cmd": "sell"}]}),
        "action 1, row 1 (replay): cmd: write checkout, checkin or renew",
    ),
    (wrong({}, {"cmd": "set_rule", "policy": {"loan_days": 0}}), "policy.loan_days: 0: write 1 or more"),
    (wrong({}, {"cmd": "set_rule", "policy": {"x": 1}}), "policy.x: there is no such key"),
    (wrong({"items": [None]}), "case 'a': items: write an object"),
    (
        wrong({}, {"override": ["loan_limit", 1.5], "reason": "x"}),
        "action 1 (checkout): override: 1.5 is not a name: write a text",
    ),
    (
        wrong({}, {"override": ["loan_limits"], "reason": "so"}),
        "action 1 (checkout): override: 'loan_limits' is no reason of a refusal; there are card_expired, card_lost",
    ),
    (wrong({}, {"cmd": "x" * 99}), "cmd 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ..."),
    (wrong({}, {"actor": {"role": "desk"}}), "action 1: actor: {'role': 'desk'} is not a name: write desk, kiosk-1"),
    (wrong({}, {"cmd": None}), "case 'a', action 1: \"cmd\" is missing"),
    (wrong({}, {"items": []}), "action 1 (checkout): items: [] holds nothing: write at least one barcode"),
    (wrong({}, {"cmd": "replace_card", "new_card": "N 4"}), "new_card: 'N 4' cannot stand on a card"),
    (wrong({}, {"cmd": "set_rule", "class": "guest", "dyas": 3}), "false); 'dyas', 'item', 'patron' is not known"),
    (
        wrong({}, {"parallel": [OUT | {"at": "2026-01-05T10:01"}]}),
        "action 1: a parallel group happens at one moment: write one at for all of it",
    ),
    (
        wrong({}, {"parallel": [OUT, {"check": True}]}),
        "action 1, parallel 2: a check stands by itself, after the group",
    ),
    (
        wrong({}, {"cmd": "replay", "rows": [{"cmd": "checkout", "item": "B1"}]}),
        'action 1, row 1 (replay): "patron" is missing',
    ),
    (wrong({}, {"parallel": []}), "case 'a', action 1: parallel holds a list of actions"),
    ({"cases": [{"id": "a", "actions": [{"cmd": "nightly"}]}]}, "case 'a': no action says when it is"),
    (
        SHARED | {"cases": [{"id": "a", "actions": [OUT, OUT | {"at": "2026-01-05T09:59"}]}]},
        "case 'a', action 2: the clock never goes back",
    ),
    (
        SHARED | {"cases": [{"id": "a", "setup": [OUT | {"at": "2026-01-05T10:01"}], "actions": [OUT]}]},
        "case 'a', action 1: the clock never goes back",
    ),
    ({"cases": [{"id": "a", "setup": {"polcy": {}}, "actions": []}]}, "setup has no 'polcy'"),
]


@pytest.mark.parametrize(("data", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence(
    data: Any, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, played, err = play(tmp_path, capsys, data)
    assert (code, played) == (2, None)
    assert sentence in err
    assert err.startswith("carrel rehearse: ")
    assert err.count("\n") == 1


def test_a_mistake_in_one_case_keeps_no_other_from_being_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early, late = (
        {"id": "early", "actions": [OUT | {"cmd": "chekout"}]},
        {"id": "late", "actions": [OUT | {"item": 7.5}]},
    )
    code, played, err = play(tmp_path, capsys, SHARED | {"cases": [early, {"id": "a", "actions": [OUT]}, late]})
    assert code == 2
    assert [(one["id"], "results" in one, "mistake" in one) for one in played] == [
        ("early", False, True), ("a", True, False), ("late", False, True),
    ]  # fmt: skip
    assert err.splitlines() == [f"carrel rehearse: {one['mistake']}" for one in (played[0], played[2])]
    assert ("case 'early'" in played[0]["mistake"], "case 'late'" in played[2]["mistake"]) == (True, True)
    assert play(tmp_path, capsys, SHARED | {"cases": [early, {"id": "a", "actions": [OUT]}]}, "--case", "a")[0] == 0


def test_a_file_that_is_not_there_and_a_case_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", str(tmp_path / "none.json")]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err
    code, _, err = play(tmp_path, capsys, SHARED | {"id": "a", "actions": [OUT]}, "--case", "b")
    assert (code, "there is no case 'b'; there are a" in err) == (2, True)


@pytest.mark.parametrize("url", ["sqlite:///x.db", "nonsense", "mysql://u:secret@h/d"])
def test_only_a_postgresql_database_can_be_named(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = play(tmp_path, capsys, SHARED | {"id": "a", "actions": [OUT]}, "--database", url)
    assert code == 2
    assert "--database takes a PostgreSQL database" in err
    assert "secret" not in err


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = "postgresql://u:secret@127.0.0.1:1/none"
    code, _, err = play(tmp_path, capsys, SHARED | {"id": "a", "actions": [OUT]}, "--database", url)
    assert code == 2
    assert "the scratch database failed" in err
    assert "secret" not in err


def test_what_nobody_knows_is_named_and_left_out_of_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sure = {"cmd": "checkout", "patron": "P1", "item": "NONE", "override": ["unknown_item"], "reason": "it is here"}
    actions = [OUT | {"colour": "red", "note": "!"}, sure]
    data = SHARED | {"patrons": {"P1": {"shoe_size": 43}}, "id": "a", "actions": actions}
    code, played, err = play(tmp_path, capsys, data)
    assert (code, results(played)) == (0, [("ok", None), ("refused", "unknown_item")])
    assert "patrons.P1.shoe_size is not known" in err
    assert "case 'a', action 1 (checkout): 'colour' is not known" in err
    assert "case 'a', action 2 (checkout): override: nobody can decide against 'unknown_item'" in err
    assert err.count("\n") == 3


def test_keys_of_the_file_of_a_case_and_of_a_new_rule_are_named_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = {"at": "2026-01-05T09:00", "cmd": "set_rule", "days": 3, "dyas": 4}
    data = SHARED | {"rulez": [], "rules": [{"days": 3}, {"days": 9, "branch": "nowhere"}]}
    code, _, err = play(tmp_path, capsys, data | {"cases": [{"id": "a", "setpu": {}, "actions": [rule, OUT]}]})
    assert code == 0
    assert sorted(line.removeprefix("carrel rehearse: case 'a'") for line in err.splitlines()) == [
        ", action 1 (set_rule): 'dyas' is not known and left out of account",
        ": 'rulez' is not known and left out of account",
        ": 'setpu' is not known and left out of account",
        ": rules.1 is for 'nowhere', which is not among the branches",
    ]


def test_journal_rows_and_new_rules_are_read_as_closely_as_actions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lent = {"ts": "2026-01-05T09:00", "type": "checkout", "card": "P1", "branch": "north", "note": "!", "shelf": 1}
    setup = {"patrons": [{"id": "P2"}], "items": [{"barcode": "B2"}, {"barcode": "B3"}]}
    items = [{"barcode": "B1", "due": "2026-01-09"}, {"barcode": "B2", "due": "2026-01-11T12:00"}, "B3"]
    actions = [
        {"at": "2026-01-05T09:30", "cmd": "set_rule", "rules": [{"days": 3, "dyas": 1}], "max_loans": 2},
        {"cmd": "replay", "rows": [lent | {"items": items, "due": "2026-01-13"}]},
        {"cmd": "checkout", "patron": "P1", "item": "B1"},
        {"cmd": "check"},
    ]
    data = SHARED | {"library": {"branches": ["main", "north"]}}
    _, played, err = play(tmp_path, capsys, data | {"cases": [{"id": "a", "setup": setup, "actions": actions}]})
    assert [line.removeprefix("carrel rehearse: case 'a', action ") for line in err.splitlines()] == [
        "1, row 1 (set_rule): 'dyas' is not known and left out of account",
        "2, row 1 (replay): 'shelf' is not known and left out of account",
    ]
    (state,) = played[0]["checks"]
    assert [(loan["item"], loan["checked_out"][11:16], loan["due"][8:16]) for loan in state["loans"]] == [
        ("B1", "09:00", "09T23:59"), ("B2", "09:00", "11T12:00"), ("B3", "09:00", "13T23:59"),
    ]  # fmt: skip
    assert {item["at_branch"] for item in state["items"].values()} == {"north"}


def test_a_file_may_begin_as_windows_begins_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, played, _ = play(tmp_path, capsys, "\ufeff" + json.dumps(SHARED | {"id": "a", "actions": [OUT]}))
    assert (code, results(played)) == (0, [("ok", None)])


def test_patrons_with_a_card_may_be_called_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = SHARED | {"patrons": {"张三": {"card": "R1"}}, "id": "a", "actions": [OUT | {"patron": "张三"}]}
    code, played, _ = play(tmp_path, capsys, data)
    assert (code, results(played)) == (0, [("ok", None)])


def test_each_kiosk_tells_its_own_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(kiosk: str, item: str) -> Any:
        row = {"at": "2026-01-05T09:00", "cmd": "checkout", "patron": "P1", "item": item, "counter": 1}
        return {"at": "2026-01-05T11:00", "actor": kiosk, "cmd": "replay", "rows": [row]}

    data = SHARED | {"items": {"B1": {}, "B2": {}}, "id": "a"}
    actions = [told("kiosk-1", "B1"), told("kiosk-2", "B2"), {"check": True, "at": "2026-01-05T12:00"}]
    _, played, _ = play(tmp_path, capsys, data | {"actions": actions})
    assert sorted(played[0]["checks"][0]["security"].items()) == [("B1", "on_loan"), ("B2", "on_loan")]


def test_times_are_the_librarys_unless_they_say_otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = SHARED | {
        "library": {"zone": "Europe/Helsinki"},
        "rules": [{"class": "*", "type": "*", "hours": 1}],
        "items": {"B1": {}, "B2": {}},
        "id": "a",
        "actions": [OUT | {"at": "2026-03-29T02:30"}, OUT | {"at": "2026-03-29T00:40:00Z", "item": "B2"}],
    }
    _, played, _ = play(tmp_path, capsys, data)
    assert [one["due"] for one in played[0]["results"]] == ["2026-03-29T04:30:00+03:00", "2026-03-29T04:40:00+03:00"]


def test_nothing_is_said_of_a_set_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = {"id": "a", "setup": [OUT], "actions": [{"at": "2026-01-05T11:00", "check": True}]}
    _, played, _ = play(tmp_path, capsys, SHARED | {"cases": [case]})
    (state,) = played[0]["checks"]
    assert played[0]["results"] == []
    assert state["audit"] == []
    assert state["security"] == {"B1": "on_loan"}


def test_cases_know_nothing_of_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [{"id": name, "actions": [OUT]} for name in ("a", "b")]
    _, played, _ = play(tmp_path, capsys, SHARED | {"cases": cases})
    assert results(played) == [("ok", None), ("ok", None)]


def test_the_same_file_gives_the_same_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = SHARED | {"id": "a", "actions": [OUT, {"at": "2026-01-05T11:00", "check": True}]}
    assert play(tmp_path, capsys, data) == play(tmp_path, capsys, data)


def test_a_fault_of_the_program_is_no_refusal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr("server.circulation.service.checkout_many", fail)
    with pytest.raises(RuntimeError, match="planted"):
        play(tmp_path, capsys, SHARED | {"id": "a", "actions": [OUT]})
