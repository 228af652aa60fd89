"""Means, intervals and tests of replicates: scipy's own numbers, and what is promised of them on simulated runs."""

import numpy as np
import pytest
from scipy import stats

from duograd.runner.report.statistics import (
    MOST_PAIRS,
    POWER,
    Estimate,
    estimate,
    holm,
    p_values,
    pairs_needed,
    student_band,
)

NAN = float("nan")
SIMULATIONS = 2000
MARGIN = 0.015  # three standard errors of a share of 95 % in so many simulations


def of(mean: float, deviation: float, n: int = 5) -> Estimate:
    return Estimate(mean, deviation, n, NAN, NAN)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_means_and_intervals_are_scipys(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(3, 2, n), rng.normal(2, 2, n)
    reached, difference = estimate(a), estimate(a - b)
    expected = stats.t.interval(0.95, n - 1, a.mean(), stats.sem(a))
    np.testing.assert_allclose((reached.low, reached.high), expected)
    assert (reached.mean, reached.deviation, reached.n) == (a.mean(), a.std(ddof=1), n)
    test = stats.ttest_rel(a, b)
    np.testing.assert_allclose((difference.low, difference.high), test.confidence_interval(0.95))
    np.testing.assert_allclose(p_values(np.array([a - b, b - a])), test.pvalue)
    np.testing.assert_allclose(np.array(student_band(a[:, None])).ravel(), expected)


def test_a_bootstrap_is_scipys_and_the_same_each_time() -> None:
    values = np.random.default_rng(0).exponential(size=8)
    found = estimate(values, "bootstrap")
    expected = stats.bootstrap((values,), np.mean, confidence_level=0.95, method="BCa", rng=0).confidence_interval
    assert (found.low, found.high) == (expected.low, expected.high)
    assert found == estimate(values, "bootstrap")
    pair = estimate([1.0, 2.0], "bootstrap")
    assert (pair.low, pair.high) == (1.0, 2.0)


def test_too_few_values_and_equal_ones() -> None:
    assert str(estimate([])) == str(Estimate(NAN, NAN, 0, NAN, NAN))
    assert str(estimate([3.0, NAN])) == str(Estimate(3.0, NAN, 1, NAN, NAN))
    assert estimate([2.0, 2.0]) == Estimate(2.0, 0.0, 2, 2.0, 2.0)
    p = p_values(np.array([[1.0, 1.0, NAN], [0.0, 0.0, 0.0], [1.0, NAN, NAN]]))
    np.testing.assert_array_equal(p, [0.0, 1.0, NAN])
    assert p_values(np.empty((0, 3))).shape == (0,)


def test_holms_correction_by_hand() -> None:
    """Four tests: 4 x 0.01, 3 x 0.015, then 2 x 0.02 = 0.04 and 0.03, which may not be below those before them."""
    np.testing.assert_allclose(holm([0.02, 0.01, NAN, 0.03, 0.015]), [0.045, 0.04, NAN, 0.045, 0.045])
    np.testing.assert_allclose(holm([0.4, 0.9]), [0.8, 0.9])
    assert holm([]).shape == (0,)


def test_the_pairs_that_would_tell_apart() -> None:
    needed = pairs_needed(of(0.5, 1.0))
    assert needed == 34  # Cohen, Statistical Power Analysis: a paired effect of 0.5 at 5 % and 80 %
    assert pairs_needed(of(-0.5, 1.0)) == needed
    assert pairs_needed(of(0.5, 1.0), 0.01) > needed
    assert pairs_needed(of(0.0, 1.0)) is None
    assert pairs_needed(of(1.0, 0.0)) is None
    assert pairs_needed(of(1e-3, 1.0)) is None, f"more than {MOST_PAIRS}"
    rng = np.random.default_rng(1)
    apart = p_values(rng.normal(0.5, 1.0, (4000, needed))) < 0.05
    assert abs(apart.mean() - POWER) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5, 10])
def test_intervals_cover_what_is_true(n: int) -> None:
    rng = np.random.default_rng(n)
    luck = rng.normal(0.0, 1.0, (SIMULATIONS, n))  # of the seed: pairs share it
    a, b = (luck + rng.normal(mean, 0.3, (SIMULATIONS, n)) for mean in (2.0, 1.7))
    for values, true in ((a, 2.0), (a - b, 0.3)):
        intervals = [estimate(row) for row in values]
        covered = np.mean([each.low <= true <= each.high for each in intervals])
        assert abs(covered - 0.95) < MARGIN
    by_pairs = np.mean([each.deviation for each in intervals])
    assert by_pairs < 0.5 * np.mean([estimate(row).deviation for row in a])  # why pairs: luck cancels
