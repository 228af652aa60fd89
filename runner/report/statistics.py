"""What replicates say: a mean with its interval, differences in pairs, and how many pairs would tell settings apart.

Legend: K replicates; values are NaN where a run has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Interval = Literal["t", "bootstrap"]

CONFIDENCE = 0.95
LEVEL = 1 - CONFIDENCE  # of a test: the share of equal settings that it tells apart
POWER = 0.8  # the share of differences like the one that was seen that the pairs asked for would tell apart
MOST_PAIRS = 1000  # what nobody would run
RESAMPLES = 9999  # of the bootstrap


@dataclass(frozen=True)
class Estimate:
    """The mean of n values, their standard deviation (divisor n - 1), the mean's interval; NaN where n is too small."""

    mean: float
    deviation: float
    n: int
    low: float
    high: float


def estimate(values: ArrayLike, interval: Interval = "t") -> Estimate:
    """Of values (K,), with a 95 % interval: Student's t, or the bootstrap (BCa) where that is asked for."""
    x = _finite(values)
    mean = float(x.mean()) if len(x) else np.nan
    if len(x) < 2:
        return Estimate(mean, np.nan, len(x), np.nan, np.nan)
    deviation = float(x.std(ddof=1))
    low, high = (mean, mean) if deviation == 0 else (_bootstrap(x) if interval == "bootstrap" else _student(x))
    return Estimate(mean, deviation, len(x), low, high)


def student_band(values: Floats) -> tuple[Floats, Floats]:
    """Both ends of the t interval of the mean at each epoch: values (K, E), K > 1, -> (E,), (E,)."""
    from scipy import stats

    half = stats.t.ppf(1 - LEVEL / 2, len(values) - 1) * values.std(axis=0, ddof=1) / len(values) ** 0.5
    return values.mean(axis=0) - half, values.mean(axis=0) + half


def p_values(differences: Floats) -> Floats:
    """Of the paired t test, differences (..., K) -> (...): NaN below two pairs; if all are equal 1 at zero, else 0."""
    from scipy import stats

    n = np.isfinite(differences).sum(axis=-1)
    p = np.full(n.shape, np.nan)
    x, k = differences[n > 1], n[n > 1]
    mean, deviation = np.nanmean(x, axis=-1), np.nanstd(x, axis=-1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where((deviation == 0) & (mean == 0), 0.0, np.abs(mean) / (deviation / np.sqrt(k)))
    p[n > 1] = 2 * stats.t.sf(t, k - 1)
    return p


def holm(p: ArrayLike) -> Floats:
    """p values (M,), corrected so that of M equal settings none is told apart in 95 % of all cases; NaN is no test.

    Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979).
    """
    p = np.asarray(p, np.float64)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    corrected = np.full(len(p), np.nan)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return corrected


def pairs_needed(difference: Estimate, level: float = LEVEL) -> int | None:
    """The fewest pairs that tell a difference like this one apart in four cases of five; None: more than a thousand.

    The power of the paired t test, by the noncentral t distribution. level: of the test, after any correction.
    """
    from scipy import stats

    if difference.mean == 0 or not difference.deviation > 0:
        return None
    n = np.arange(2, MOST_PAIRS + 1)
    critical = stats.t.ppf(1 - level / 2, n - 1)
    beyond = abs(difference.mean) / difference.deviation * np.sqrt(n)
    enough = np.flatnonzero(stats.nct.sf(critical, n - 1, beyond) >= POWER)
    return int(n[enough[0]]) if len(enough) else None


def _finite(values: ArrayLike) -> Floats:
    x = np.asarray(values, np.float64)
    return x[np.isfinite(x)]


def _student(x: Floats) -> tuple[float, float]:
    from scipy import stats

    low, high = stats.ttest_1samp(x, 0.0).confidence_interval(CONFIDENCE)
    return float(low), float(high)


def _bootstrap(x: Floats) -> tuple[float, float]:
    """BCa, with the same draws each time; percentiles where two values leave it nothing to correct."""
    from scipy import stats

    methods: Sequence[Any] = ("percentile",) if len(x) < 3 else ("BCa", "percentile")
    for method in methods:
        ends = stats.bootstrap(
            (x,), np.mean, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method=method, rng=0
        ).confidence_interval
        if np.isfinite(ends).all():
            break
    return float(ends.low), float(ends.high)
