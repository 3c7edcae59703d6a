"""Reader sections of the configuration."""

import pytest
from pydantic import ValidationError

from rfid.afi import AfiPolicy
from rfid.config import PadReaderConfig


def test_defaults_fit_a_factory_fresh_reader() -> None:
    config = PadReaderConfig(path="/dev/serial/by-id/reader", owner="CN-000001-DEMO")
    assert (config.kind, config.baud, config.parity, config.block_bytes) == ("feig", 38400, "even", "direct")
    assert config.afi == AfiPolicy(in_stock=0x07, on_loan=0xC2)


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("kind", "metratec"),
        ("afi_on_loan", 256),
        ("afi_on_loan", 0x07),
        ("block_bytes", "swapped"),
        ("path", ""),
        ("baud", 1),
        ("colour", "red"),
    ],
)
def test_wrong_values_and_unknown_keys_are_refused(wrong: str, value: object) -> None:
    with pytest.raises(ValidationError):
        PadReaderConfig.model_validate({"path": "/dev/ttyS0", "owner": "CN-000001-DEMO", wrong: value})


def test_owner_and_path_must_be_given() -> None:
    with pytest.raises(ValidationError):
        PadReaderConfig.model_validate({"path": "/dev/ttyS0"})
