"""Measuring side by side: candidates take turns, so that a slow moment of the machine hits all of them alike.

Each turn begins with a pause and an unmeasured call: thread pools (OpenMP's, OpenBLAS's) go on spinning for a while
after their work, and would take a core from the neighbour that comes next.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_info

CONSOLE = Console()
PAUSE = 0.1  # seconds


@dataclass(frozen=True)
class Target:
    """A ratio that was promised: of `of` to `to`, at most (or at least) `bound`."""

    of: str
    to: str
    bound: float
    at_least: bool = False

    def kept(self, ratio: float) -> bool:
        return ratio >= self.bound if self.at_least else ratio <= self.bound


def side_by_side(work: Mapping[str, Callable[[], object]], rounds: int, calls: int = 5) -> dict[str, list[float]]:
    """Seconds of each candidate in each round: the median of a few calls in a row."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, candidate in work.items():
            time.sleep(PAUSE)
            candidate()
            seconds[name].append(statistics.median(timed(candidate) for _ in range(calls)))
    return seconds


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def kernel() -> str:
    """The matrix kernel that runs, such as `openblas Haswell, 2 threads`."""
    pools = [f"{i['internal_api']} {i.get('architecture', '')}, {i['num_threads']} threads" for i in threadpool_info()]
    return "; ".join(pools)


def verdict(what: str, seconds: float, bound: float) -> None:
    """Prints seconds, and whether they keep what was promised."""
    kept = "kept" if seconds <= bound else "MISSED"
    CONSOLE.print(f"{what}: {seconds:.2f} s, promised ≤ {bound:g} s: {kept}", highlight=False)


def report(title: str, seconds: Mapping[str, list[float]], targets: list[Target]) -> None:
    """Prints the median time of each candidate, and each promised ratio (the median of the rounds' own ratios)."""
    times = Table("", "median", "fastest", title=title)
    for name, values in seconds.items():
        times.add_row(name, f"{statistics.median(values) * 1e3:.2f} ms", f"{min(values) * 1e3:.2f} ms")
    CONSOLE.print(times)
    if not targets:
        return
    ratios = Table("ratio", "measured", "target", "")
    for target in targets:
        rounds = [a / b for a, b in zip(seconds[target.of], seconds[target.to], strict=True)]
        ratio = statistics.median(rounds)
        bound = f"{'≥' if target.at_least else '≤'} {target.bound:g}"
        ratios.add_row(f"{target.of} / {target.to}", f"{ratio:.2f}", bound, "kept" if target.kept(ratio) else "MISSED")
    CONSOLE.print(ratios)
