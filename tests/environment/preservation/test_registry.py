from math import inf, nan

import pytest

from environment.preservation.registry import METRICS, compute, inputs_text

CASES = [
    ("dew_point", {"temp_c": 20, "rh_pct": 50}, 9.261),
    ("absolute_humidity", {"temp_c": 20, "rh_pct": 50}, 8.624),
    ("humidity_ratio", {"temp_c": 20, "rh_pct": 50}, 0.007245),
    ("humidity_ratio", {"temp_c": 20, "rh_pct": 50, "pressure_pa": 101325}, 0.007245),
    ("rh_from_dew_point", {"temp_c": 22, "dew_point_c": 17.64}, 76.3),
    ("emc", {"temp_c": 20, "rh_pct": 50}, 9.27),
    ("pi", {"temp_c": 20, "rh_pct": 50}, 44.62),
    ("twpi", {"samples_h_t_rh": [[1, 20, 50], [1, 25, 60]]}, 26.37),
    ("life_multiplier", {"temp_c": 15, "rh_pct": 40, "ea_j_mol": 100000}, 2.724),
    ("life_multiplier", {"temp_c": 15, "rh_pct": 40}, 2.724),
    ("mould_critical_rh", {"temp_c": 8, "class": "very"}, 83.83),
    ("mould_index", {"hours": 672, "temp_c": 22, "rh_pct": 95, "class": "very", "start": 0}, 3.297),
    ("mould_index", {"hours": 720, "temp_c": 20, "rh_pct": 60, "class": "very", "start": 1.5}, 1.028),
    ("mould_isoline_rh", {"temp_c": 20}, 75.62),
    ("light_dose", {"intervals_h_lux": [[8, 300], [2, 50]]}, 2500),
    ("light_year_end", {"dose_lux_h": 30000, "elapsed_days": 73}, 150000),
]


@pytest.mark.parametrize(("name", "given", "value"), CASES)
def test_each_figure_is_computed_by_name(name, given, value):
    assert compute(name, given) == pytest.approx(value, rel=2e-3)


def test_every_figure_has_a_case_here_and_tells_its_inputs():
    assert {name for name, _, _ in CASES} == METRICS.keys()
    assert inputs_text(METRICS["mould_critical_rh"]) == (
        "temp_c (°C), class=very (very, sensitive, medium or resistant)"
    )


def test_where_mould_does_not_grow_there_is_no_critical_humidity():
    assert compute("mould_critical_rh", {"temp_c": -5, "class": "very"}) is None


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("dewpoint", {}, "there is no metric 'dewpoint'; there are dew_point, "),
        ("pi", {"temp_c": 20}, r"pi needs rh_pct \(%\)"),
        ("pi", {"temp_c": 20, "rh_pct": None}, r"pi needs rh_pct"),
        ("pi", {"temp_c": 20, "rh": 50}, r"pi takes no rh; it takes temp_c \(°C\), rh_pct \(%\)"),
        ("pi", {"temp_c": "warm", "rh_pct": 50}, "temp_c is 'warm', which is no number"),
        ("pi", {"temp_c": True, "rh_pct": 50}, "temp_c is True, which is no number"),
        ("pi", {"temp_c": nan, "rh_pct": 50}, "temp_c is nan: give a number from -50 to 100 °C"),
        ("pi", {"temp_c": inf, "rh_pct": 50}, "temp_c is larger than any measured value"),
        ("pi", {"temp_c": 10**400, "rh_pct": 50}, "temp_c is larger than any measured value"),
        ("life_multiplier", {"temp_c": 20, "rh_pct": 1e-299}, "too large for a number"),
        ("mould_critical_rh", {"temp_c": 20, "class": 3}, "class is 3: give one of very"),
        ("mould_critical_rh", {"temp_c": 20, "class": "wet"}, "class is 'wet': give one of very"),
        ("twpi", {"samples_h_t_rh": []}, r"give a list such as \[\[1, 20, 50\]"),
        ("twpi", {"samples_h_t_rh": "x" * 100}, r"xxx\.\.\.: give a list"),
        ("twpi", {"samples_h_t_rh": [[1, 20]]}, r"entry 1, is \[1, 20\]: give a list"),
        ("twpi", {"samples_h_t_rh": [[0, 20, 50]]}, "give at least one entry with hours above 0"),
        ("twpi", {"samples_h_t_rh": [[1, 20, 50], [1, 20, "x"]]}, "entry 2, a value is 'x'"),
        ("light_dose", {"intervals_h_lux": [[1, -5]]}, "lux is -5: give a number from 0 to 200000 lx"),
    ],
)
def test_what_cannot_be_computed_says_what_to_give(name, given, message):
    with pytest.raises(ValueError, match=message):
        compute(name, given)
