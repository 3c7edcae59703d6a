from carrel.contracts.telemetry import Quantity
from devices.zigbee.clusters import BY_CLUSTER
from devices.zigbee.models import Traits
from devices.zigbee.translate import Newest, Translator

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
    assert Translator(Traits(invert=True)).feed(LIFT, 100) == ((Quantity.POSITION, 0.0),)


def test_models_that_count_light_or_battery_otherwise_are_read_in_the_same_units() -> None:
    odd = Translator(Traits(lux="linear", battery="whole"))
    assert odd.feed(BY_CLUSTER[0x0400][0x0000], 350) == ((Quantity.LUX, 350.0),)
    assert odd.feed(BY_CLUSTER[0x0001][0x0021], 80) == ((Quantity.BATTERY, 80.0),)
    assert odd.feed(BY_CLUSTER[0x0001][0x0021], 0xFF) == ()


KEY, OTHER = (0x0402, 0), (0x0405, 0)


def test_a_number_just_behind_the_newest_was_overtaken_across_the_turn_of_the_counter_too() -> None:
    newest = Newest()
    assert not newest.overtaken(KEY, 254, 0.0)
    assert not newest.overtaken(KEY, 2, 1.0)
    assert newest.overtaken(KEY, 255, 1.5)
    assert not newest.overtaken(OTHER, 255, 1.5)
    assert not newest.overtaken(KEY, 3, 2.0)


def test_a_device_that_begins_to_count_anew_is_heard() -> None:
    newest = Newest()
    newest.overtaken(KEY, 200, 0.0)
    assert not newest.overtaken(KEY, 100, 1.0)  # too far behind to be an old frame
    newest.overtaken(KEY, 120, 2.0)
    assert not newest.overtaken(KEY, 119, 30.0)  # no frame is under way so long
    newest.overtaken(KEY, 121, 31.0)
    newest.forget()
    assert not newest.overtaken(KEY, 120, 31.1)
