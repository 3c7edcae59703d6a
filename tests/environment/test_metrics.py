import pytest

from environment import metrics
from environment.metrics import ClimateSpan

# T, RH, dew point, g/m3, g/kg, EMC, PI, LM: worked with independent implementations of the published formulas
WORKED = [
    (20, 50, 9.261, 8.624, 7.245, 9.27, 44.62, 1.000),
    (20, 40, 5.988, 6.899, 5.782, 7.72, 58.43, 1.337),
    (15, 40, 1.502, 5.119, 4.207, 7.81, 110.75, 2.724),
    (25, 50, 13.858, 11.489, 9.857, 9.13, 24.28, 0.503),
    (18, 45, 5.887, 6.898, 5.742, 8.53, 65.65, 1.520),
    (22, 60, 13.880, 11.623, 9.872, 10.94, 26.75, 0.597),
    (28, 75, 23.155, 20.364, 17.871, 14.09, 9.00, 0.198),
    (10, 35, -4.776, 3.284, 2.645, 7.10, 248.11, 6.772),
]


@pytest.mark.parametrize(("temp", "rh", "dew", "grams", "ratio", "emc", "years", "life"), WORKED)
def test_formulas_give_the_worked_values(temp, rh, dew, grams, ratio, emc, years, life):
    assert metrics.dew_point(temp, rh) == pytest.approx(dew, abs=0.0006)
    assert metrics.absolute_humidity(temp, rh) == pytest.approx(grams, abs=0.0006)
    assert 1000 * metrics.humidity_ratio(temp, rh) == pytest.approx(ratio, abs=0.0006)
    assert metrics.equilibrium_moisture(temp, rh) == pytest.approx(emc, abs=0.006)
    assert metrics.preservation_index(temp, rh) == pytest.approx(years, abs=0.006)
    assert metrics.life_multiplier(temp, rh) == pytest.approx(life, abs=0.0006)


def test_varnish_gains_less_from_cold_than_paper():
    assert 1 < metrics.life_multiplier(10, 50, "varnish") < metrics.life_multiplier(10, 50)


def test_outdoor_air_brought_indoors_gets_the_humidity_its_dew_point_says():
    assert metrics.rh_at_dew_point(22, metrics.dew_point(26, 60)) == pytest.approx(76, abs=0.5)
    assert metrics.rh_at_dew_point(22, metrics.dew_point(14, 80)) == pytest.approx(48, abs=0.5)


@pytest.mark.parametrize(
    ("spans", "years"),
    [
        ([(1, 20, 50), (1, 25, 60)], 26.37),
        ([(720, 18, 45), (720, 24, 55), (720, 28, 65)], 20.98),
        ([(23, 18, 45), (1, 30, 80)], 47.24),
        ([(9, 15, 40), (3, 26, 60)], 45.88),
        ([(720, 22, 45), (24, 35, 70)], 32.10),
    ],
)
def test_twpi_is_the_harmonic_mean_over_time(spans, years):
    assert metrics.twpi([ClimateSpan(*span) for span in spans]) == pytest.approx(years, abs=0.006)


def test_twpi_of_no_time_is_unknown():
    assert metrics.twpi([]) is None


@pytest.mark.parametrize(
    ("temp", "very", "medium"), [(8, 83.83, 85), (10, 82.03, 85), (15, 80.04, 85), (18, 80, 85), (25, 80, 85)]
)
def test_mould_critical_humidity_follows_temperature_and_class(temp, very, medium):
    assert metrics.mould_critical_rh(temp, "very") == pytest.approx(very, abs=0.006)
    assert metrics.mould_critical_rh(temp, "medium") == pytest.approx(medium, abs=0.006)


@pytest.mark.parametrize("temp", [-5, 0, 50.1])
def test_mould_does_not_grow_in_frost_or_great_heat(temp):
    assert metrics.mould_critical_rh(temp) is None
