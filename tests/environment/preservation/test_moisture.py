from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environment.preservation import moisture

# T, RH, dew point, g/m3, g/kg, EMC: worked with independent implementations of the published formulas
WORKED = [
    (20, 50, 9.261, 8.624, 7.245, 9.27),
    (20, 40, 5.988, 6.899, 5.782, 7.72),
    (15, 40, 1.502, 5.119, 4.207, 7.81),
    (25, 50, 13.858, 11.489, 9.857, 9.13),
    (18, 45, 5.887, 6.898, 5.742, 8.53),
    (22, 60, 13.880, 11.623, 9.872, 10.94),
    (28, 75, 23.155, 20.364, 17.871, 14.09),
    (10, 35, -4.776, 3.284, 2.645, 7.10),
]
TEMPS = st.floats(-50, 100)
MOIST = st.floats(0.1, 100)


@pytest.mark.parametrize(("temp", "rh", "dew", "grams", "ratio", "wood"), WORKED)
def test_formulas_give_the_worked_values(temp, rh, dew, grams, ratio, wood):
    assert moisture.dew_point(temp, rh) == pytest.approx(dew, abs=0.0006)
    assert moisture.absolute_humidity(temp, rh) == pytest.approx(grams, abs=0.0006)
    assert 1000 * moisture.humidity_ratio(temp, rh) == pytest.approx(ratio, abs=0.0006)
    assert moisture.emc(temp, rh) == pytest.approx(wood, abs=0.006)


@pytest.mark.parametrize(
    ("outdoor", "indoor_temp", "rh"),
    [((26, 60), 22, 76), ((14, 80), 22, 48), ((8, 90), 21, 39), ((30, 40), 24, 57), ((18, 70), 18, 70)],
)
def test_outdoor_air_brought_indoors_gets_the_humidity_its_dew_point_says(outdoor, indoor_temp, rh):
    assert moisture.rh_from_dew_point(indoor_temp, moisture.dew_point(*outdoor)) == pytest.approx(rh, abs=0.5)


def test_a_surface_colder_than_the_dew_point_condenses():
    assert moisture.rh_from_dew_point(9.0, moisture.dew_point(20, 50)) > 100


@given(TEMPS, MOIST)
def test_the_dew_point_leads_back_to_the_humidity(temp, rh):
    dew = moisture.dew_point(temp, rh)
    assert dew <= temp + 1e-9
    assert moisture.rh_from_dew_point(temp, dew) == pytest.approx(rh, rel=1e-9)


@given(st.floats(-30, 100), st.floats(0, 99))
def test_wood_takes_more_water_from_moister_air(temp, rh):
    assert 0 <= moisture.emc(temp, rh) < moisture.emc(temp, rh + 1)


@given(st.floats(-50, 60), st.floats(0, 100))
def test_thinner_air_holds_more_water_for_its_weight(temp, rh):
    assert moisture.humidity_ratio(temp, rh, 80_000) >= moisture.humidity_ratio(temp, rh)


def test_dry_air_holds_no_water_and_has_no_dew_point():
    assert moisture.absolute_humidity(20, 0) == moisture.humidity_ratio(20, 0) == moisture.emc(20, 0) == 0
    with pytest.raises(ValueError, match="give a number above 0 up to 100 %"):
        moisture.dew_point(20, 0)


def test_saturated_air_is_at_its_dew_point():
    assert moisture.dew_point(20, 100) == pytest.approx(20)
    assert moisture.emc(20, 100) == pytest.approx(28.84, abs=0.01)


@pytest.mark.parametrize(
    "formula", [moisture.dew_point, moisture.absolute_humidity, moisture.humidity_ratio, moisture.emc]
)
@pytest.mark.parametrize("climate", [(nan, 50), (20, nan), (20, -0.1), (20, 100.1), (-60, 50), (101, 50)])
def test_impossible_air_is_refused_with_what_to_give(formula, climate):
    with pytest.raises(ValueError, match="give a number from"):
        formula(*climate)


def test_wood_in_deep_frost_is_refused():
    with pytest.raises(ValueError, match="temp_c is -31: give a number from -30 to 100 °C"):
        moisture.emc(-31, 50)


@pytest.mark.parametrize("dew", [nan, -121, 111])
def test_an_impossible_dew_point_is_refused(dew):
    with pytest.raises(ValueError, match="dew_point_c"):
        moisture.rh_from_dew_point(20, dew)


@pytest.mark.parametrize("pressure", [nan, 0, -1, 1013])
def test_an_impossible_pressure_is_refused(pressure):
    with pytest.raises(ValueError, match="pressure_pa"):
        moisture.humidity_ratio(20, 50, pressure)


def test_air_of_vapour_alone_is_refused():
    with pytest.raises(ValueError, match="the vapour alone exceeds"):
        moisture.humidity_ratio(90, 100, 60_000)
