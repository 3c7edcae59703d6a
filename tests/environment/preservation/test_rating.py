import pytest

from environment.preservation.rating import rate_corrosion, rate_decay, rate_mechanical, rate_mould


@pytest.mark.parametrize(("years", "word"), [(75, "good"), (74.9, "fair"), (45, "fair"), (44.9, "risk")])
def test_decay_is_rated_by_years(years, word):
    assert rate_decay(years) == word


@pytest.mark.parametrize(("emc", "word"), [(4.9, "risk"), (5, "good"), (12.5, "good"), (12.6, "risk")])
def test_wood_suffers_when_too_dry_or_too_moist(emc, word):
    assert rate_mechanical(emc) == word


@pytest.mark.parametrize(("emc", "word"), [(6.9, "good"), (7, "fair"), (10.4, "fair"), (10.5, "risk")])
def test_metal_corrodes_in_moist_air(emc, word):
    assert rate_corrosion(emc) == word


@pytest.mark.parametrize(("index", "word"), [(0.9, "good"), (1, "warn"), (2.9, "warn"), (3, "alarm")])
def test_mould_warns_before_it_is_seen(index, word):
    assert rate_mould(index) == word
