from carrel.contracts.ids import Slug
from devices.config import ModbusConfig
from devices.events import ContactChanged, Health, ModuleHealth, OutputsRead
from devices.modbus.map import Image
from devices.modbus.poller import Debounce, HealthWatch, Poller
from tests.support.field import FixedClock, Recorder

OFF = (False,) * 8


def inputs(**closed: bool) -> tuple[bool, ...]:
    return (closed.get("smoke", True), closed.get("flame", True), *[False] * 5)


def poller() -> tuple[Poller, Recorder]:
    points: dict[Slug, int] = {"smoke": 0, "flame": 1}
    config = ModbusConfig(id="io-1", url="rtu:/dev/null", map="adam-4150", inputs=points, outputs={"siren": 1})
    return Poller(config, FixedClock()), Recorder()


def contacts(seen: Recorder) -> list[tuple[str, bool]]:
    return [(event.input, event.closed) for event in seen.of(ContactChanged)]


def test_one_poll_alone_settles_nothing() -> None:
    assert Debounce().feed((True,)) is None


def test_two_polls_that_agree_settle_each_input_by_itself() -> None:
    debounce = Debounce()
    debounce.feed((True, True))
    assert debounce.feed((True, True)) == (True, True)
    assert debounce.feed((False, True)) == (True, True)
    assert debounce.feed((False, False)) == (False, True)
    assert debounce.feed((False, True)) == (False, True)


def test_a_failed_poll_between_breaks_the_agreement() -> None:
    debounce = Debounce()
    debounce.feed((True,))
    debounce.feed((True,))
    debounce.feed((False,))
    debounce.interrupt()
    assert debounce.feed((False,)) == (True,)
    assert debounce.feed((False,)) == (False,)


def test_a_module_that_never_answered_is_lost_at_the_first_failure() -> None:
    health = HealthWatch()
    assert health.failed(0.0)
    assert health.state is Health.LOST


def test_two_failures_degrade_and_the_third_loses() -> None:
    health = HealthWatch()
    states = [health.good() and health.state, *[(health.failed(now / 10), health.state)[1] for now in range(3)]]
    assert states == [Health.OK, Health.DEGRADED, Health.DEGRADED, Health.LOST]


def test_two_seconds_without_an_answer_lose_the_module_too() -> None:
    health = HealthWatch()
    health.good()
    health.failed(10.0)
    health.failed(12.0)
    assert health.state is Health.LOST


def test_a_good_poll_mends_and_starts_the_count_anew() -> None:
    health = HealthWatch()
    health.good()
    health.failed(0.0)
    health.failed(0.1)
    assert health.good()
    health.failed(0.2)
    assert health.state is Health.DEGRADED


def test_a_lost_module_stays_lost_until_it_answers() -> None:
    health = HealthWatch()
    health.give_up()
    assert not health.failed(100.0)
    assert health.state is Health.LOST


def test_the_first_reading_is_told_in_full_after_two_polls() -> None:
    module, seen = poller()
    module.good(Image(inputs(), OFF), seen)
    assert contacts(seen) == []
    assert seen.of(OutputsRead)[0].outputs == {"siren": False}
    module.good(Image(inputs(), OFF), seen)
    assert contacts(seen) == [("smoke", True), ("flame", True)]


def test_only_changes_are_told_after_that() -> None:
    module, seen = poller()
    for state in (True, True, False, False, False):
        module.good(Image(inputs(smoke=state), OFF), seen)
    assert contacts(seen) == [("smoke", True), ("flame", True), ("smoke", False)]
    assert len(seen.of(OutputsRead)) == 1


def test_what_changed_during_an_outage_is_told_as_a_change_from_the_last_good_state() -> None:
    module, seen = poller()
    for _ in range(2):
        module.good(Image(inputs(), OFF), seen)
    module.give_up(seen)
    for _ in range(2):
        module.good(Image(inputs(flame=False), OFF), seen)
    assert contacts(seen)[2:] == [("flame", False)]
    assert [event.state for event in seen.of(ModuleHealth)] == [Health.OK, Health.LOST, Health.OK]


def test_outputs_are_told_again_after_an_outage_because_the_module_may_have_lost_power() -> None:
    module, seen = poller()
    module.good(Image(inputs(), OFF), seen)
    module.give_up(seen)
    module.good(Image(inputs(), OFF), seen)
    assert len(seen.of(OutputsRead)) == 2
