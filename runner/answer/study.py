"""What an answer is about: the runs, the axes that they lie along, the metric that decides, and who stands where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from duograd.runner.answer.differences import SEED, Axis, axes, differing, is_number, short_names
from duograd.runner.answer.ranking import Measure, Setting, Standing, best_run, monitored, settings, standings
from duograd.runner.answer.records import Record

MOST_TICKS = 24  # values of a single axis that a line can be labelled with
FEW = 4  # values of an axis that make no cloud of dots, however few runs there are
OWN = 0.5  # the share of runs that have a value of their own on an axis that is no grid's


@dataclass(frozen=True)
class Study:
    """Runs of one task under a title. swept: the values of swept keys in the order in which they were typed, or {}."""

    title: str
    records: Sequence[Record]
    swept: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @cached_property
    def along(self) -> list[Axis]:
        return axes(self.records, self.swept)

    @cached_property
    def drawn(self) -> list[int]:
        """The indices of the axes worth a picture: one odd run that failed must not add an axis to all others."""
        finished = [setting for setting in self.settings if setting.finished]
        if not finished or any(record.swept for record in self.records):
            return list(range(len(self.along)))
        return [k for k in range(len(self.along)) if len({setting.point[k] for setting in finished}) > 1]

    @cached_property
    def settings(self) -> list[Setting]:
        return settings(self.records, self.along)

    @cached_property
    def measure(self) -> Measure:
        """What decides: the monitored metric at its best; `train/loss` where no run got as far as having one."""
        return Measure(monitored(self.records) or "train/loss", at_best=True)

    @cached_property
    def measures(self) -> list[Measure]:
        """What is drawn along the axes: what decides and, of classifiers, the final accuracy on new samples."""
        names = ("test/accuracy", "val/accuracy")
        accuracy = next((n for n in names if any(n in record.metrics for record in self.records)), None)
        return [self.measure, *([Measure(accuracy, at_best=False)] if accuracy else [])]

    @cached_property
    def standings(self) -> list[Standing]:
        return standings(self.settings, self.measure)

    @property
    def best(self) -> Record | None:
        """The best finished run; of several seeds, the best one's."""
        first = next(iter(self.standings), None)
        return best_run(first, self.measure) if first and first.place else None

    @cached_property
    def differing(self) -> list[str]:
        """Every key whose value differs, the axes first."""
        first = [axis.key for axis in self.along]
        return first + [key for key in differing(self.records) if key not in first]

    @cached_property
    def names(self) -> dict[str, str]:
        """The short names of what differs."""
        return short_names(self.differing)

    @property
    def replicated(self) -> bool:
        """Whether some setting was run with several seeds."""
        return any(len(setting.records) > 1 for setting in self.settings)

    @property
    def scattered(self) -> bool:
        """Whether the runs form no grid: nearly each has a number of its own, as a search draws them."""
        sizes = [len(axis.values) for k in self.drawn if is_number((axis := self.along[k]).values[0])]
        most = max(sizes, default=0)
        if len(self.drawn) < 2:
            return most > MOST_TICKS
        return most > FEW and most > OWN * len(self.settings)

    @property
    def failures(self) -> list[Record]:
        """Runs that did not come to their end, and those whose files are damaged. A search prunes on purpose."""
        return [record for record in self.records if record.status not in ("FINISHED", "RUNNING", "PENDING", "PRUNED")]

    @property
    def footer(self) -> str:
        """Where the samples came from, as far as the runs agree."""
        sources = {f"{r.identity['data']}, {r.identity['source']}" for r in self.records if "source" in r.identity}
        [source, *more] = sorted(sources) or [""]
        seeds = sorted({r.identity["seed"] for r in self.records if SEED in r.identity})
        seed = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds" if seeds else ""
        where = f"{source} and {len(more)} other sources" if more else source
        return " · ".join(part for part in (where, seed, f"{len(self.records)} runs") if part)
