"""A study: a figure or a table of the report, the sweep that makes it again, and what would count as agreement."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field

from duograd.runner.config import Strict
from duograd.runner.errors import UserError, suggestion
from duograd.runner.validate import parse

LEFT_OUT = "left_out"  # the file of the published numbers that no study makes again
Where = dict[str, Any]
At = int | Literal["best", "first step"] | None
Number = Annotated[float, BeforeValidator(lambda value: float(value) if type(value) is int else value)]


class Row(Strict):
    """A published number. where: the values of parameters that its run has; at: null for the value after the last
    update, an epoch, `best`, or `first step` for the loss of the first batch. tolerance: how far ours may be from it
    to agree; otherwise: why it may not. or_better: what is better than published agrees as well. chose: what the report
    chose on that nobody should choose on.
    """

    name: str
    where: Where
    metric: str
    published: Number
    tolerance: Number = Field(gt=0)
    otherwise: str
    or_better: bool = False
    at: At = None
    chose: str | None = None


class Finding(Strict):
    """A published sentence that compares two settings: left is expected lower, higher, or equal within margin."""

    says: str
    left: Where
    right: Where
    metric: str
    expects: Literal["lower", "higher", "equal"]
    margin: Number = 0.0


class Measured(Strict):
    """A metric of a run; at: as a row has it."""

    metric: str
    at: At = None

    @property
    def name(self) -> str:
        """`train/loss`, `train/loss, epoch 1`."""
        return f"{self.metric}, epoch {self.at}" if isinstance(self.at, int) else self.metric


class Study(Strict):
    """order: among the studies. part: of the report. shows: what the figure shows. data: patches, images or activity.

    overrides: that all runs share; sweep: the values of each key; seed: the report's, or the first; quick: what makes
    it a matter of seconds; settings: metrics that a table of all settings gives, the first of which says which is best;
    pictures: of the sweep's report, by the beginnings of their names; figures: of its first run, by the names that
    task.figures knows. errata: in what each `gradient` of the sweep is set against the exact one.
    """

    order: int
    title: str
    part: str
    shows: str
    data: Literal["patches", "images", "activity"]
    overrides: list[str]
    sweep: dict[str, list[Any]]
    seed: int
    quick: list[str]
    rows: list[Row]
    findings: list[Finding] = Field(default_factory=list)
    settings: list[str] = Field(default_factory=list)
    pictures: list[str]
    figures: list[str] = Field(default_factory=list)
    errata: list[Measured] = Field(default_factory=list)

    def swept(self, seeds: int) -> dict[str, list[Any]]:
        """The values of each key, so many seeds among them."""
        return {**self.sweep, "seed": list(range(self.seed, self.seed + seeds))}

    def points(self, seeds: int) -> list[dict[str, Any]]:
        """The values of each run."""
        swept = self.swept(seeds)
        return [dict(zip(swept, values, strict=True)) for values in product(*swept.values())]

    def shared(self, data: Sequence[str], quick: bool) -> list[str]:
        """What all runs are typed with. data: the overrides that name it."""
        return [*self.overrides, *data, *(self.quick if quick else [])]

    def arguments(self, data: Sequence[str], seeds: int, quick: bool) -> list[str]:
        """What is typed after `duograd`, but for where it goes."""
        grid = [f"{key}={_typed(values)}" for key, values in self.swept(seeds).items()]
        return ["-m", *self.shared(data, quick), *grid]

    def command(self, data: Sequence[str], seeds: int, quick: bool) -> str:
        """The same as a line to paste."""
        return shlex.join(["duograd", *self.arguments(data, seeds, quick)])


@dataclass(frozen=True)
class Reproduction:
    """Studies, by their names, and how they are made again.

    folder: of their sweeps; data: the overrides that name each kind; seeds: how many of each run.
    """

    studies: Mapping[str, Study]
    folder: Path
    data: Mapping[str, Sequence[str]]
    seeds: int
    quick: bool


def studies(names: Sequence[str] = ()) -> dict[str, Study]:
    """The studies of those names, all for none, in their order. Raises UserError for an unknown name."""
    known = {path.name.removesuffix(".yaml"): path for path in files("duograd.conf").joinpath("study").iterdir()}
    del known[LEFT_OUT]
    for name in names:
        if name not in known:
            raise UserError(f"no study '{name}'{suggestion(name, sorted(known))}")
    loaded = {name: parse(Study, yaml.safe_load(known[name].read_text())) for name in names or known}
    return dict(sorted(loaded.items(), key=lambda item: item[1].order))


def left_out() -> list[Mapping[str, Any]]:
    """Published numbers that no study makes again: `numbers`, and the `reason`."""
    content: list[Mapping[str, Any]] = yaml.safe_load(
        files("duograd.conf").joinpath("study", f"{LEFT_OUT}.yaml").read_text()
    )
    return content


def _typed(values: Sequence[Any]) -> str:
    """As a sweep takes them; also a single value makes one."""
    text = ",".join(map(str, values))
    return text if len(values) > 1 else f"choice({text})"
