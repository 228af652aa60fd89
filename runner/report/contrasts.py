"""Settings against each other in pairs: runs of one seed and fold saw the same order and draws, so luck cancels.

Legend: G groups, K replicates.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from duograd.runner.plots.text import number
from duograd.runner.registry import term_of
from duograd.runner.report.ranking import Group, Measure
from duograd.runner.report.statistics import (
    LEVEL,
    MOST_PAIRS,
    Estimate,
    Floats,
    Interval,
    estimate,
    holm,
    p_values,
    pairs_needed,
)

MINUS = "\N{MINUS SIGN}"
UNDECIDED = "not to be told apart"
NEGLIGIBLE = 1e-12  # of a number: its last bits
POINTS = "accuracy"  # a share, whose differences are said in points of a hundred


@dataclass(frozen=True)
class Contrast:
    """The best group of a data set against another of it. p: corrected for the number of `comparisons`; NaN: no pairs.

    difference: of the best minus the other, over the seeds and folds that both finished, in points for shares.
    """

    measure: Measure
    best: Group
    other: Group
    difference: Estimate
    p: float
    comparisons: int

    @property
    def pairs(self) -> int:
        return self.difference.n

    @property
    def apart(self) -> bool:
        """Whether the two can be told apart."""
        return self.p < LEVEL

    @property
    def undecided(self) -> bool:
        """Whether there are pairs, and they do not tell the two apart."""
        return self.p >= LEVEL

    @property
    def interval(self) -> str:
        """`[1.8, 4.4]`, to the digits of the mean's uncertainty."""
        d = self.difference
        return interval_text(d.low, d.high) if self.pairs > 1 else "–"

    @property
    def amount(self) -> str:
        """`+3.1`."""
        return signed(self.difference.mean, decimals(self.difference.low, self.difference.high))

    @property
    def verdict(self) -> str:
        """In words that stand in a table."""
        if self.pairs < 2:
            return "no common seeds" if not self.pairs else "one pair decides nothing"
        if self.apart:
            return "apart"
        return f"{UNDECIDED}; {remedy(self.difference, self.comparisons)}"

    def describe(self, best: str, other: str) -> str:
        """The same in a sentence, of what the two are called."""
        unit = f"points of {self.measure.name}" if in_points(self.measure.metric) else f"of {self.measure.name}"
        if self.apart:
            return f"{best} {MINUS} {other}: {self.amount} {unit}, 95 % {self.interval}, {self.pairs} pairs."
        more = remedy(self.difference, self.comparisons)
        return f"{best} {MINUS} {other}: {UNDECIDED} ({self.pairs} pairs); {more}."


def remedy(difference: Estimate, comparisons: int) -> str:
    """How many pairs would tell two apart that are not, by the difference so far: `about 14 pairs would`."""
    enough = pairs_needed(difference, LEVEL / comparisons)
    if enough is None:
        return "equal so far" if difference.mean == 0 else f"nor would {MOST_PAIRS} pairs"
    return f"about {max(enough, difference.n + 1)} pairs would"


def contrasts(groups: Sequence[Group], best: Group, measure: Measure, interval: Interval = "t") -> list[Contrast]:
    """The best against each of the other groups of its data set.

    The best was picked by its values: so each p is corrected for all pairs of groups that it was picked from.
    """
    values = _by_replicate(groups, measure)
    upper = np.triu_indices(len(groups), 1)
    p = [p_values(row - values[k + 1 :]) for k, row in enumerate(values)]
    corrected = np.full((len(groups), len(groups)), np.nan)
    corrected[upper] = holm(np.concatenate(p))
    corrected = np.fmax(corrected, corrected.T)
    at, count = groups.index(best), int(np.isfinite(corrected[upper]).sum())
    return [
        Contrast(measure, best, other, estimate(values[at] - values[k], interval), float(corrected[at, k]), count)
        for k, other in enumerate(groups)
        if k != at
    ]


def in_points(metric: str) -> bool:
    """Of val/accuracy, and of final_test_accuracy as MLflow has it; not of a bare `accuracy`, maybe in percents."""
    return term_of(metric) == POINTS != metric


def _by_replicate(groups: Sequence[Group], measure: Measure) -> Floats:
    """Values (G, K) with a column for each seed and fold, NaN where a group did not finish it."""
    by_group = [group.by_replicate(measure) for group in groups]
    columns = list(dict.fromkeys(key for reached in by_group for key in reached))
    scale = 100.0 if in_points(measure.metric) else 1.0
    rows = [[scale * reached.get(key, math.nan) for key in columns] for reached in by_group]
    return np.array(rows, np.float64).reshape(len(groups), len(columns))


def decimals(low: float, high: float) -> int:
    """Places after the point that show two digits of what lies between."""
    width, size = high - low, max(abs(low), abs(high))
    if not math.isfinite(width):
        return 4
    if width <= NEGLIGIBLE * size:  # one value, but for rounding
        return max(0, 3 - math.floor(math.log10(size))) if size else 4
    return max(0, 1 - math.floor(math.log10(width)))


def signed(value: float, places: int) -> str:
    return f"{value:+.{places}f}".replace("-", MINUS)


def interval_text(low: float, high: float) -> str:
    """`[1.8, 4.4]`; numbers that are far from 1 by powers of ten."""
    if math.isnan(low):
        return "–"
    places = decimals(low, high)
    if places > 6:
        return f"[{number(low, 3)}, {number(high, 3)}]".replace("-", MINUS)
    return f"[{low:.{places}f}, {high:.{places}f}]".replace("-", MINUS)
