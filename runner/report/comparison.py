"""Runs of one task beside each other: the axes along which they lie, the metric that decides, who ranks where."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from duograd.runner.display import counted
from duograd.runner.registry import rising_metrics
from duograd.runner.report.agreement import Pair, is_beside, pairs
from duograd.runner.report.comparable import data_sets, ranking_metric
from duograd.runner.report.contrasts import Contrast, contrasts
from duograd.runner.report.parameters import REPLICATES, Axis, differing, is_number, label, swept_axes
from duograd.runner.report.ranking import Group, Measure, Rank, best_run, group_runs, rank_groups
from duograd.runner.report.records import Record
from duograd.runner.report.replication import run_command
from duograd.runner.report.statistics import Interval
from duograd.runner.store.overrides import short_names
from duograd.runner.store.records import SearchRecord

TIME = re.compile(r"\d{4}-\d\d-\d\d[_T ]\d\d")  # that a folder's name begins with where nobody gave it one
MOST_TICKS = 24  # values of a single axis that a line can be labelled with
FEW = 4  # values of an axis that make no cloud of dots, however few runs there are
MOST_REPEATS = 3  # settings whose commands for more seeds are named
OWN = 0.5  # the share of runs that have a value of their own on an axis that is no grid's


@dataclass(frozen=True)
class Comparison:
    """Runs of one task under a title.

    swept: the values of swept keys in the order in which they were typed; {} finds what differs. command: what started
    them all, "" where nothing did; repeat: what runs them with more seeds. parent_run_id: of the sweep's own run in
    MLflow, where there is one. search: whose trials the runs are. interval: of means. rising: whether more of what is
    ranked by is better, None where its name says. along: what histories go along, epochs or, where
    something else than duograd logged them, steps. remarks: what else is to be known. uri: where they were logged.
    """

    title: str
    records: Sequence[Record]
    swept: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    command: str = ""
    parent_run_id: str | None = None
    search: SearchRecord | None = None
    repeat: str = ""
    interval: Interval = "t"
    rising: bool | None = None
    along: Literal["epoch", "step"] = "epoch"
    remarks: Sequence[str] = ()
    uri: str = ""

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

    def on_axes(self, group: Group) -> bool:
        """Whether its values of the axes are known; not those of a run whose configuration cannot be read."""
        return all(group.point[axis.key] in axis.values for axis in self.axes)

    @cached_property
    def ranked_by(self) -> tuple[str, str]:
        """The metric to rank by, and the reason where it needs one."""
        remedy = "" if self.along == "epoch" else "; --higher says otherwise"
        return ranking_metric(self.records, self.search.metric if self.search else None, remedy)

    @cached_property
    def measure(self) -> Measure:
        """What decides: the monitored metric at its best, or what can be compared in its place."""
        return Measure(self.ranked_by[0], rising=self.rising)

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
        by_data_set = self.data_sets.values()
        return [rank for groups in by_data_set for rank in rank_groups(groups, self.measure, self.interval)]

    @cached_property
    def winners(self) -> list[list[Rank]]:
        """The first place of each data set that has one, and those that share it."""
        first = [[r for r in self.ranks if r.place == 1 and r.group in groups] for groups in self.data_sets.values()]
        return [ranks for ranks in first if ranks]

    @cached_property
    def contrasts(self) -> list[list[Contrast]]:
        """By measure the best group of each data set against its others; twins of other backends say nothing new."""
        return [self._contrasts(measure) for measure in self.measures] if self.contest else []

    def _contrasts(self, measure: Measure) -> list[Contrast]:
        every = []
        for first, *_ in self.winners:
            [groups] = (groups for groups in self.data_sets.values() if first.group in groups)
            finished = [group for group in groups if group.finished]
            of_one_half = [group for group in finished if not self.pairs or _half(group) == _half(first.group)]
            every += contrasts(of_one_half, first.group, measure, self.interval)
        order = {rank.group: k for k, rank in enumerate(self.ranks)}
        return sorted(every, key=lambda contrast: order[contrast.other])

    @cached_property
    def undecided(self) -> set[Group]:
        """The groups that the best of their data set cannot be told apart from."""
        return {contrast.other for contrast in (self.contrasts or [[]])[0] if contrast.undecided}

    @property
    def unreplicated(self) -> bool:
        """Whether there is a best one of several settings, by one run each: that decides nothing."""
        leading = (self.contrasts or [[]])[0]
        return bool(leading) and not any(contrast.pairs > 1 for contrast in leading)

    @property
    def repeats(self) -> list[str]:
        """The commands that add seeds, where one alone was run: of a sweep, else of the best settings one by one."""
        if not self.unreplicated or self.repeat:
            return [self.repeat] if self.unreplicated else []
        best = self.ranks[:1] if self.search else self.ranks[:MOST_REPEATS]
        commands = (run_command(rank.group.records[0]) for rank in best)
        return list(dict.fromkeys(filter(None, commands)))  # a run and its repetition have one

    @property
    def best(self) -> Record | None:
        """The best finished run; of several seeds, the best one's."""
        return best_run(self.winners[0][0].group, self.measure) if self.winners else None

    @property
    def reruns(self) -> list[str]:
        """The command that trains the best run of each data set again."""
        best = [best_run(ranks[0].group, self.measure) for ranks in self.winners]
        return [record.command for record in best if record.command] if self.contest else []

    @cached_property
    def pairs(self) -> list[Pair]:
        """The runs by hand with their twins by autograd."""
        return pairs(self.records)

    @property
    def contest(self) -> bool:
        """Whether there is anything to be best at: the two halves of one configuration are to agree."""
        return not self.pairs or not all(is_beside(axis.key) for axis in self.axes)

    def label(self, group: Group) -> str:
        """The group's; without its backend where both halves were run, as neither can be the better one."""
        axes = [axis for axis in self.axes if not is_beside(axis.key)]
        return label(group.point, axes) if self.pairs and axes else group.label

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
        """Whether some group was run with several seeds or folds."""
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
        [source, *more] = sorted(sources) or ["logged to MLflow" if self.along == "step" else ""]
        where = f"{source} and {len(more)} other sources" if more else source
        return " · ".join(
            part for part in (where, *map(self._values, REPLICATES), counted(len(self.records), "run")) if part
        )

    def _values(self, key: str) -> str:
        """`seed 0`, `5 seeds`; "" for folds where there are none."""
        values = {r.parameters[key] for r in self.records if r.config and r.parameters.get(key) is not None}
        name = REPLICATES[key]
        return f"{len(values)} {name}s" if len(values) > 1 else "".join(f"{name} {value}" for value in values)


def _half(group: Group) -> dict[str, Any]:
    return {key: value for key, value in group.point.items() if is_beside(key)}
