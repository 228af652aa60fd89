"""Whether the two halves agree: runs of one configuration by hand (backend=numpy) and by autograd (torch), in pairs.

Legend: E epochs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from duograd.runner.report.records import Floats, Record
from duograd.runner.report.restore import MissingError, weights

BACKEND = "backend"
BESIDE = ("backend", "device")  # groups of keys in which the two halves may differ
METRICS = ("train/loss", "val/loss")  # the first that both have
MOST = 5  # pairs that part, told one by one


@dataclass(frozen=True)
class Pair:
    """Two finished runs that differ in the backend alone.

    loss: the farthest that their values of `metric` are ever apart. parted: the first epoch at which they differ by
    more than rounding explains, None where they never do. weights: the farthest that their last weights are apart, in
    the parameter `largest`, NaN where a folder has none to read. rounding: whether that is no more than rounding.
    """

    by_hand: Record
    by_autograd: Record
    metric: str
    loss: float
    parted: int | None
    weights: float
    largest: str
    rounding: bool

    @property
    def agrees(self) -> bool:
        return self.parted is None and self.rounding


def is_beside(key: str) -> bool:
    """Whether a parameter is one in which the two halves of a configuration may differ."""
    return key.partition(".")[0] in BESIDE


def pairs(records: Sequence[Record]) -> list[Pair]:
    """Every run by hand with every run by autograd of the same configuration."""
    twins: dict[frozenset[object], list[Record]] = {}
    for record in records:
        if record.status == "FINISHED" and record.config:
            same = [item for item in record.parameters.items() if not is_beside(item[0])]
            twins.setdefault(frozenset(same), []).append(record)
    by_backend = [
        [[run for run in runs if run.parameters.get(BACKEND) == name] for name in ("numpy", "torch")]
        for runs in twins.values()
    ]
    return [_pair(a, b) for by_hand, by_autograd in by_backend for a in by_hand for b in by_autograd]


def describe(compared: Sequence[Pair]) -> list[str]:
    """What the pairs show, in lines: those that agree together, then each that parts."""
    agreeing = [pair for pair in compared if pair.agrees]
    parting = [pair for pair in compared if not pair.agrees]
    lines = []
    if agreeing:
        count = f"all {len(compared)}" if not parting else f"{len(agreeing)} of {len(compared)}"
        where = f" in {count} pairs" if len(compared) > 1 else ""
        loss = max(pair.loss for pair in agreeing)
        lines.append(f"By hand and by autograd agree{where}: loss within {_short(loss)}, {_weights(agreeing)}.")
    for pair in parting[:MOST]:
        which = f"{pair.by_hand.name} and {pair.by_autograd.name}: " if len(compared) > 1 else ""
        lines.append(f"{which}by hand and by autograd {_parting(pair)}.")
    if len(parting) > MOST:
        lines.append(f"{len(parting) - MOST} more pairs part.")
    return [line[0].upper() + line[1:] for line in lines]


def _weights(agreeing: Sequence[Pair]) -> str:
    known = [pair for pair in agreeing if not math.isnan(pair.weights)]
    if not known:
        return "their weights cannot be read"
    farthest = max(known, key=lambda pair: pair.weights)
    return f"weights within {_short(farthest.weights)} (largest: {farthest.largest})"


def _parting(pair: Pair) -> str:
    a, b = (record.history.get(pair.metric, np.empty(0)) for record in (pair.by_hand, pair.by_autograd))
    if pair.parted is None:
        apart = f"{pair.largest} differs by {pair.weights:.2g}"
        return f"agree in {pair.metric} (within {_short(pair.loss)}) but not in their last weights: {apart}"
    if pair.parted > min(len(a), len(b)):
        return f"part after epoch {pair.parted - 1}: by hand went on to epoch {len(a)}, by autograd to {len(b)}"
    at = pair.parted - 1
    return f"part from epoch {pair.parted}: {pair.metric} {a[at]:.7g} by hand, {b[at]:.7g} by autograd{_reason(pair)}"


def _short(value: float) -> str:
    """`4e-6`: as much as there is to know of a rounding error."""
    return f"{value:.0e}".replace("e-0", "e-") if value else "0"


def _pair(by_hand: Record, by_autograd: Record) -> Pair:
    tolerance = math.sqrt(np.finfo(str(by_hand.config.get("dtype", "float32"))).eps)  # half of the digits
    runs = (by_hand, by_autograd)
    metric = next((name for name in METRICS if all(name in run.history for run in runs)), METRICS[0])
    a, b = (run.history.get(metric, np.empty(0)) for run in runs)
    loss, parted = _losses(a, b, tolerance)
    return Pair(by_hand, by_autograd, metric, loss, parted, *_last_weights(by_hand, by_autograd, tolerance))


def _losses(a: Floats, b: Floats, tolerance: float) -> tuple[float, int | None]:
    """How far apart histories (E,) are at most, and the first epoch at which that is more than rounding."""
    epochs = min(len(a), len(b))
    longer = epochs + 1 if len(a) != len(b) else None
    a, b = a[:epochs], b[:epochs]
    beyond = np.flatnonzero(~np.isclose(a, b, rtol=tolerance, atol=0, equal_nan=True))
    return float(np.nanmax(np.abs(a - b), initial=0.0)), int(beyond[0]) + 1 if len(beyond) else longer


def _last_weights(by_hand: Record, by_autograd: Record, tolerance: float) -> tuple[float, str, bool]:
    """How far apart the last weights are at most, in which parameter, and whether that is no more than rounding."""
    try:
        a, b = weights(by_hand, best=False), weights(by_autograd, best=False)
    except MissingError:
        return math.nan, "", True
    apart = {name: _apart(a[name], b[name]) for name in a if name in b}
    if not apart:
        return math.nan, "", True
    largest = max(apart, key=lambda name: apart[name])
    bound = {name: tolerance * (float(np.abs(a[name]).max(initial=0.0)) or 1.0) for name in apart}
    return apart[largest], largest, all(apart[name] <= bound[name] for name in apart)


def _apart(a: Floats, b: Floats) -> float:
    return float(np.abs(a - b).max(initial=0.0)) if a.shape == b.shape else math.inf


def _reason(pair: Pair) -> str:
    """Why two halves may well part without a fault in either."""
    parameters = pair.by_hand.parameters | pair.by_autograd.parameters
    if any(key.endswith("dropout") and value for key, value in parameters.items()):
        return ", as each draws its own dropout masks"
    if parameters.get("backend.autocast"):
        return f", which computes in {parameters['backend.autocast']}"
    return ", as each has a solver of its own" if parameters.get("optimizer") == "lbfgs" else ""
