"""The way in, step by step."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from devices.zigbee.network.joining import STEPS, JoinReport

AT = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


@dataclass
class Device:
    """As far as zigpy's device is looked at."""

    node_desc: object = None
    has_non_zdo_endpoints: bool = False
    all_endpoints_init: bool = False
    initializing: bool = True
    reinterviewing: bool = False


def states(report: JoinReport) -> str:
    return " ".join(step.state[0] for step in report.steps)


def look(report: JoinReport, **what: Any) -> bool:
    return report.look(Device(**what), AT)  # type: ignore[arg-type]  # the part that is read


def test_the_steps_are_those_of_the_contract_in_its_order() -> None:
    assert STEPS[0] == "joined"
    assert STEPS[-1] == "read"
    assert states(JoinReport()) == "w w w w w w w w w"


def test_an_interview_is_followed_to_its_end() -> None:
    report = JoinReport()
    assert look(report)
    assert states(report) == "d r w w w w w w w"
    assert look(report, node_desc=1, has_non_zdo_endpoints=True)
    assert states(report) == "d d d r w w w w w"
    assert not look(report, node_desc=1, has_non_zdo_endpoints=True)
    look(report, node_desc=1, has_non_zdo_endpoints=True, all_endpoints_init=True)
    assert states(report) == "d d d d r w w w w"
    look(report, node_desc=1, has_non_zdo_endpoints=True, all_endpoints_init=True, initializing=False)
    assert states(report) == "d d d d d w w w w"


def test_an_interview_that_stopped_is_told_and_goes_on_where_it_was() -> None:
    report = JoinReport()
    look(report, node_desc=1)
    look(report, node_desc=1, initializing=False)
    assert states(report) == "d d f w w w w w w"
    assert "asked again" in report.steps[2].detail
    look(report, node_desc=1)
    assert states(report) == "d d r w w w w w w"


def test_a_failure_is_put_down_to_what_was_going_on() -> None:
    report = JoinReport()
    for name in STEPS[:6]:
        report.done(name, AT)
    report.running("bind", AT)
    report.failed(AT, "no answer")
    assert (report.steps[6].state, report.steps[6].detail) == ("failed", "no answer")
    report.done("bind", AT + timedelta(seconds=5))
    assert report.steps[6].at == AT + timedelta(seconds=5)


def test_a_step_that_was_done_keeps_its_time_and_a_whole_way_is_complete() -> None:
    report = JoinReport()
    for name in STEPS:
        report.done(name, AT)
    report.done("read", AT + timedelta(days=1))
    report.failed(AT, "nothing is going on")
    assert report.complete
    assert {step.at for step in report.steps} == {AT}
    assert report.finished_before(AT + timedelta(seconds=1))
    assert not report.finished_before(AT)
