from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environment.preservation.chemistry import ClimateSpan, life_multiplier, pi, twpi

WORKED = [
    (20, 50, 44.62, 1.000),
    (20, 40, 58.43, 1.337),
    (15, 40, 110.75, 2.724),
    (25, 50, 24.28, 0.503),
    (18, 45, 65.65, 1.520),
    (22, 60, 26.75, 0.597),
    (28, 75, 9.00, 0.198),
    (10, 35, 248.11, 6.772),
]
SPANS = st.lists(
    st.builds(ClimateSpan, st.floats(0.01, 1000), st.floats(-20, 60), st.floats(0, 100)), min_size=1, max_size=20
)


@pytest.mark.parametrize(("temp", "rh", "years", "life"), WORKED)
def test_decay_is_as_worked(temp, rh, years, life):
    assert pi(temp, rh) == pytest.approx(years, abs=0.006)
    assert life_multiplier(temp, rh) == pytest.approx(life, abs=0.0006)


@pytest.mark.parametrize(("temp", "rh", "years"), [(20, 70, 26), (14, 31, 162.5), (-13, 33, 7947)])
def test_the_preservation_index_is_that_of_the_published_table(temp, rh, years):
    assert pi(temp, rh) == pytest.approx(years, abs=0.6)


def test_a_dry_room_is_not_the_fast_decay_that_a_wrong_formula_gives():
    assert pi(23, 2.5) == pytest.approx(107, abs=2)


def test_varnish_gains_less_from_cold_than_paper():
    assert 1 < life_multiplier(10, 50, 70_000) < life_multiplier(10, 50)


@pytest.mark.parametrize(
    ("spans", "years", "arithmetic"),
    [
        ([(1, 20, 50), (1, 25, 60)], 26.37, 31.67),
        ([(720, 18, 45), (720, 24, 55), (720, 28, 65)], 20.98, 33.76),
        ([(23, 18, 45), (1, 30, 80)], 47.24, 63.18),
        ([(9, 15, 40), (3, 26, 60)], 45.88, 87.22),
        ([(720, 22, 45), (24, 35, 70)], 32.10, 38.72),
    ],
)
def test_twpi_is_the_harmonic_mean_over_time(spans, years, arithmetic):
    assert twpi([ClimateSpan(*span) for span in spans]) == pytest.approx(years, abs=0.006)
    assert sum(h * pi(t, rh) for h, t, rh in spans) / sum(h for h, _, _ in spans) == pytest.approx(
        arithmetic, abs=0.006
    )


def test_twpi_of_no_time_is_unknown():
    assert twpi([]) is None
    assert twpi([ClimateSpan(0, 20, 50)]) is None


@given(SPANS)
def test_twpi_lies_between_the_worst_and_the_arithmetic_mean(spans):
    years = [pi(span.temp_c, span.rh_pct) for span in spans]
    mean = sum(span.hours * pi(span.temp_c, span.rh_pct) for span in spans) / sum(span.hours for span in spans)
    found = twpi(spans)
    assert min(years) * (1 - 1e-9) <= found <= mean * (1 + 1e-9)
    assert found <= max(years) * (1 + 1e-9)


@given(SPANS, st.floats(0.01, 0.99))
def test_splitting_a_span_of_time_changes_nothing(spans, part):
    first, *rest = spans
    halves = [ClimateSpan(first.hours * share, first.temp_c, first.rh_pct) for share in (part, 1 - part)]
    assert twpi([*halves, *rest]) == pytest.approx(twpi(spans))


@pytest.mark.parametrize("climate", [(nan, 50), (20, nan), (20, -1), (20, 101), (-273.15, 50), (500, 50)])
def test_impossible_air_is_refused(climate):
    for formula in (pi, life_multiplier):
        with pytest.raises(ValueError, match="give a number from"):
            formula(*climate)


def test_dry_air_has_a_preservation_index_but_no_life_multiplier():
    assert pi(20, 0) > pi(20, 10)
    with pytest.raises(ValueError, match="above 0"):
        life_multiplier(20, 0)


@pytest.mark.parametrize("energy", [nan, -1, 1e7])
def test_an_impossible_energy_is_refused(energy):
    with pytest.raises(ValueError, match="ea_j_mol"):
        life_multiplier(20, 50, energy)


@pytest.mark.parametrize("hours", [nan, -1, 2e6])
def test_impossible_time_is_refused(hours):
    with pytest.raises(ValueError, match="hours"):
        twpi([ClimateSpan(hours, 20, 50)])
