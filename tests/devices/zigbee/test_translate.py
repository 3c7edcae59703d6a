from carrel.contracts.telemetry import Quantity
from devices.zigbee.clusters import BY_CLUSTER
from devices.zigbee.translate import Translator

ON = BY_CLUSTER[0x0006][0x0000]
LEVEL = BY_CLUSTER[0x0008][0x0000]
TEMPERATURE = BY_CLUSTER[0x0402][0x0000]
LIFT = BY_CLUSTER[0x0102][0x0008]


def test_a_plain_value_is_one_reading() -> None:
    assert Translator().feed(TEMPERATURE, 2100) == ((Quantity.TEMP, 21.0),)


def test_an_unknown_value_is_no_reading() -> None:
    assert Translator().feed(TEMPERATURE, -0x8000) == ()


def test_a_fan_that_is_off_runs_at_nothing_whatever_its_level_says() -> None:
    fan = Translator()
    fan.feed(ON, 0)
    assert fan.feed(LEVEL, 254) == ((Quantity.LEVEL, 0.0),)
    assert fan.feed(ON, 1) == ((Quantity.ON, 1.0), (Quantity.LEVEL, 100.0))
    assert fan.feed(ON, 0) == ((Quantity.ON, 0.0), (Quantity.LEVEL, 0.0))


def test_a_level_without_a_switch_stands_for_itself() -> None:
    assert Translator().feed(LEVEL, 127) == ((Quantity.LEVEL, 50.0),)


def test_a_switch_without_a_level_is_only_a_switch() -> None:
    assert Translator().feed(ON, 1) == ((Quantity.ON, 1.0),)


def test_the_position_of_an_inverted_curtain_is_per_cent_closed() -> None:
    assert Translator(invert=True).feed(LIFT, 100) == ((Quantity.POSITION, 0.0),)
