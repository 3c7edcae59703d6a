"""The register map of the simulated module: what reads, what writes, what is refused."""

from dataclasses import dataclass, field

import pytest

from firmware_sim.modbus.module import CommSafety, IoModule
from firmware_sim.modbus.pdu import answer
from firmware_sim.modbus.registers import RegisterMap


@dataclass
class Bench:
    """A module with a clock moved by hand."""

    safety: CommSafety | None = None
    now_s: float = 0.0
    registers: RegisterMap = field(init=False)

    def __post_init__(self) -> None:
        self.module = IoModule(lambda: self.now_s, safety=self.safety)
        self.registers = RegisterMap(self.module)

    def ask(self, request: str) -> str:
        return answer(self.registers, bytes.fromhex(request)).hex(" ").upper()

    def pulse(self, index: int, seconds: float) -> None:
        """Contact closed for so long."""
        self.module.set_contact(index, closed=True)
        self.now_s += seconds
        self.module.set_contact(index, closed=False)


def test_closed_contact_reads_1_and_open_contact_0() -> None:
    bench = Bench()
    bench.module.set_contact(2, closed=True)
    assert bench.ask("01 0000 0007") == "01 01 04"
    assert bench.ask("02 0000 0007") == "02 01 04"
    assert bench.ask("03 012C 0001") == "03 02 00 04"
    bench.module.set_contact(2, closed=False)
    assert bench.ask("01 0000 0007") == "01 01 00"


def test_identity_and_plain_words_read_with_functions_3_and_4() -> None:
    bench = Bench()
    assert bench.ask("03 00D2 0002") == "03 04 41 50 00 00"
    assert bench.ask("04 00D2 0001") == "04 02 41 50"
    assert bench.ask("03 00D4 0004") == "03 08 A1 06 00 00 00 00 00 00"
    assert bench.ask("03 012C 0003") == "03 06 00 00 00 00 00 00"


def test_counter_mode_counts_closings_low_word_first() -> None:
    bench = Bench()
    assert bench.ask("06 004F 0001") == "06 00 4F 00 01"
    for _ in range(3):
        bench.pulse(1, 0.01)
    assert bench.ask("03 0002 0002") == "03 04 00 03 00 00"
    bench.module.inputs[1].count = 0x10002
    assert bench.ask("03 0000 0006") == "03 0C 00 00 00 00 00 02 00 01 00 00 00 00"


def test_latch_holds_a_short_pulse_until_the_mode_is_written_again() -> None:
    bench = Bench()
    bench.ask("06 004E 0002")
    bench.pulse(0, 0.001)
    assert bench.ask("01 0000 0001") == "01 01 01"
    bench.ask("06 004E 0002")
    assert bench.ask("01 0000 0001") == "01 01 00"


def test_falling_latch_holds_when_the_contact_opens() -> None:
    bench = Bench()
    bench.module.set_contact(0, closed=True)
    bench.ask("06 004E 0003")
    assert bench.ask("01 0000 0001") == "01 01 00"
    bench.module.set_contact(0, closed=False)
    assert bench.ask("01 0000 0001") == "01 01 01"


def test_inverted_input_reads_the_other_way_round() -> None:
    bench = Bench()
    bench.ask("06 004E 0080")
    assert bench.ask("01 0000 0001") == "01 01 01"


def test_filter_lets_only_long_enough_changes_through() -> None:
    bench = Bench()
    assert bench.ask("10 006B 0002 04 01F4 0000") == "10 00 6B 00 02"  # DI0 minimum high 50 ms
    bench.ask("06 004E 0041")  # counter with filter
    bench.pulse(0, 0.049)
    assert bench.ask("03 0000 0001") == "03 02 00 00"
    bench.pulse(0, 0.051)
    assert bench.ask("03 0000 0001") == "03 02 00 01"


def test_outputs_are_written_one_by_one_in_groups_and_as_a_word() -> None:
    bench = Bench()
    bench.ask("05 0012 FF00")
    assert bench.module.output_word == 0b100
    bench.ask("0F 0010 0002 01 03")
    assert bench.module.output_word == 0b111
    bench.ask("06 012E 0080")
    assert bench.module.output_word == 0x80
    assert bench.ask("03 012E 0001") == "03 02 00 80"


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        ("01 0000 0019", "81 02"),  # past the last output
        ("01 FFFF 0002", "81 02"),
        ("01 0000 0000", "81 03"),
        ("01 0000 07D1", "81 03"),
        ("03 002E 0001", "83 02"),  # 40047 does not exist
        ("03 0000 007E", "83 03"),
        ("03 0078 0002", "83 02"),  # second word does not exist
        ("05 0000 FF00", "85 02"),  # an input
        ("05 0010 1234", "85 03"),
        ("06 00D2 0001", "86 02"),  # the name is read only
        ("06 012E 0100", "86 03"),  # ninth output
        ("06 004E 0004", "86 03"),  # frequency
        ("06 0055 0001", "86 03"),  # pulse output
        ("06 005D 0001", "86 02"),  # half of a filter width
        ("0F 0010 0009 02 FF01", "8F 02"),
        ("0F 0010 0008 02 FF00", "8F 03"),
        ("0F 0010 0008 01", "8F 03"),
        ("10 004E 0001 02 0001", "90 02"),  # modes take function 06
        ("10 006B 0002 03 000000", "90 03"),
        ("10 006B 0000 00", "90 03"),
        ("18 0000", "98 01"),
    ],
)
def test_wrong_requests_are_refused_with_the_right_exception(request_: str, refusal: str) -> None:
    assert Bench().ask(request_) == refusal


def test_refused_group_write_changes_nothing() -> None:
    bench = Bench()
    bench.ask("10 0078 0002 04 0001 0002")  # last filter word and one past it
    assert bench.module.inputs[6].min_high == 0


def test_silent_master_sends_outputs_to_their_safe_state_and_raises_the_flag() -> None:
    bench = Bench(CommSafety(timeout_s=10.0, outputs=0b100))
    bench.ask("05 0011 FF00")
    bench.now_s = 9.0
    bench.module.heard()
    bench.now_s = 18.9
    assert bench.module.output_word == 0b010
    bench.now_s = 19.1
    assert bench.module.output_word == 0b100
    assert bench.ask("03 00D6 0002") == "03 04 00 01 00 01"
    bench.module.heard()
    bench.ask("05 0011 FF00")
    assert bench.module.output_word == 0b110
    assert bench.ask("03 00D6 0002") == "03 04 00 01 00 00"


def test_without_safety_outputs_stay_as_they_were() -> None:
    bench = Bench()
    bench.ask("05 0011 FF00")
    bench.now_s = 1e6
    assert bench.module.output_word == 0b010
