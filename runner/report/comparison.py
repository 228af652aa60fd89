"""Runs of one task beside each other: the axes along which they lie, the metric that decides, who ranks where."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from duograd.runner.registry import rising_metrics
from duograd.runner.report.agreement import Pair, is_beside, pairs
from duograd.runner.report.comparable import data_sets, ranking_metric
from duograd.runner.report.parameters import SEED, Axis, differing, is_number, swept_axes
from duograd.runner.report.ranking import Group, Measure, Rank, best_run, group_runs, rank_groups
from duograd.runner.report.records import Record
from duograd.runner.store.overrides import short_names
from duograd.runner.store.records import SearchRecord

TIME = re.compile(r"\d{4}-\d\d-\d\d[_T ]\d\d")  # that a folder's name begins with where nobody gave it one
MOST_TICKS = 24  # values of a single axis that a line can be labelled with
FEW = 4  # values of an axis that make no cloud of dots, however few runs there are
OWN = 0.5  # the share of runs that have a value of their own on an axis that is no grid's


@dataclass(frozen=True)
class Comparison:
    """Runs of one task under a title.

    swept: the values of swept keys in the order in which they were typed; {} finds what differs. command: what started
    them all, "" where nothing did. parent_run_id: of the sweep's own run in MLflow, where there is one. search: whose
    trials the runs are.
    """

    title: str
    records: Sequence[Record]
    swept: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    command: str = ""
    parent_run_id: str | None = None
    search: SearchRecord | None = None

    @cached_property
    def axes(self) -> list[Axis]:
        return swept_axes(self.records, self.swept)

    @cached_property
    def chart_axes(self) -> list[Axis]:
        """The axes worth a picture: one odd run that failed adds none to all others, nor do two halves that agree."""
        agree = self.contest and all(pair.agrees for pair in self.pairs)
        axes = [axis for axis in self.axes if not (agree and self.pairs and is_beside(axis.key))]
        finished = [group for group in self.groups if group.finished]
        if not finished or any(record.swept for record in self.records):
            return axes
        return [axis for axis in axes if len({group.point[axis.key] for group in finished}) > 1]

    @cached_property
    def groups(self) -> list[Group]:
        return group_runs(self.records, self.axes)

    @cached_property
    def ranked_by(self) -> tuple[str, str]:
        """The metric to rank by, and the reason where it needs one."""
        return ranking_metric(self.records, self.search.metric if self.search else None)

    @cached_property
    def measure(self) -> Measure:
        """What decides: the monitored metric at its best, or what can be compared in its place."""
        return Measure(self.ranked_by[0])

    @cached_property
    def measures(self) -> list[Measure]:
        """What is drawn along the axes: what decides and, of classifiers, the final accuracy on new samples."""
        names = [f"{split}/{term}" for split in ("test", "val") for term in rising_metrics()]
        accuracy = next((n for n in names if any(n in record.metrics for record in self.records)), None)
        return [self.measure, *([Measure(accuracy, "final")] if accuracy else [])]

    @cached_property
    def final_metrics(self) -> list[str]:
        """The names of what was evaluated after the last update."""
        return list(dict.fromkeys(name for record in self.records for name in record.metrics))

    @cached_property
    def data_sets(self) -> dict[str, list[Group]]:
        """The groups by the names of their data sets; all under one where they share it."""
        names = data_sets(self.records)
        by_name: dict[str, list[Group]] = {}
        for group in self.groups:
            by_name.setdefault(names[group.records[0]], []).append(group)
        return by_name

    @cached_property
    def ranks(self) -> list[Rank]:
        """Of each data set by itself: a value on one says nothing of a value on another."""
        return [rank for groups in self.data_sets.values() for rank in rank_groups(groups, self.measure)]

    @cached_property
    def winners(self) -> list[list[Rank]]:
        """The first place of each data set that has one, and those that share it."""
        first = [[r for r in self.ranks if r.place == 1 and r.group in groups] for groups in self.data_sets.values()]
        return [ranks for ranks in first if ranks]

    @property
    def best(self) -> Record | None:
        """The best finished run; of several seeds, the best one's."""
        return best_run(self.winners[0][0].group, self.measure) if self.winners else None

    @property
    def reruns(self) -> list[str]:
        """The command that trains the best run of each data set again."""
        best = [best_run(ranks[0].group, self.measure) for ranks in self.winners]
        return [record.command for record in best] if self.contest else []

    @cached_property
    def pairs(self) -> list[Pair]:
        """The runs by hand with their twins by autograd."""
        return pairs(self.records)

    @property
    def contest(self) -> bool:
        """Whether there is anything to be best at: the two halves of one configuration are to agree."""
        return not self.pairs or not all(is_beside(axis.key) for axis in self.axes)

    @cached_property
    def differing(self) -> list[str]:
        """Every key whose value differs, the axes first."""
        first = [axis.key for axis in self.axes]
        return first + [key for key in differing(self.records) if key not in first]

    @cached_property
    def names(self) -> dict[str, str]:
        """The short names of what differs."""
        return short_names(self.differing)

    @property
    def replicated(self) -> bool:
        """Whether some group was run with several seeds."""
        return any(len(group.records) > 1 for group in self.groups)

    @property
    def scattered(self) -> bool:
        """Whether the runs form no grid: nearly each has a number of its own, as a search draws them."""
        most = max((len(axis.values) for axis in self.chart_axes if is_number(axis.values[0])), default=0)
        if len(self.chart_axes) < 2:
            return most > MOST_TICKS
        return most > FEW and most > OWN * len(self.groups)

    @property
    def failures(self) -> list[Record]:
        """Runs that did not come to their end, and those whose files are damaged. A search prunes on purpose."""
        return [record for record in self.records if record.status not in ("FINISHED", "RUNNING", "PENDING", "PRUNED")]

    @property
    def subject(self) -> str:
        """What was run, for the titles of pictures: the name it was given, else the model and what was varied."""
        if not TIME.match(self.title):
            return self.title
        models = sorted({str(record.parameters["model"]) for record in self.records if "model" in record.parameters})
        what = models[0] if len(models) == 1 else next(iter(self.records)).task
        return ", ".join(filter(None, [what, " × ".join(axis.name for axis in self.axes if axis.key != "model")]))

    @property
    def footer(self) -> str:
        """Where the samples came from, as far as the runs agree."""
        sources = {f"{r.identity.get('data')}, {r.identity['source']}" for r in self.records if "source" in r.identity}
        [source, *more] = sorted(sources) or [""]
        seeds = sorted({r.identity["seed"] for r in self.records if SEED in r.identity})
        seed = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds" if seeds else ""
        where = f"{source} and {len(more)} other sources" if more else source
        return " · ".join(part for part in (where, seed, f"{len(self.records)} runs") if part)
