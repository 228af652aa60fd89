"""A figure that a task asks for by name: what it draws of a finished run, what it finds out, what it needs.

Each module of `figures` declares one, a FIGURE, called as the module is: `task.figures=[loss_curve]` draws what
figures/loss_curve.py declares.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import DataSet
from duograd.models.family import ModelConfig
from duograd.runner.classification import outputs
from duograd.runner.engines import Engine
from duograd.runner.errors import UserError
from duograd.runner.plots.curves import draw_metrics
from duograd.runner.plots.images import Pixels
from duograd.runner.plots.text import Output
from duograd.runner.registry import FAMILIES, Group
from duograd.runner.store.folders import RunFolder

Array = NDArray[Any]
Facts = dict[str, Any]
"""What a figure finds out about a run, for summary.json."""


@dataclass(frozen=True)
class FinishedRun:
    """A finished training, as its figures need it.

    metrics: everything evaluated after the last update. untrained: makes the engine as it was at the start.
    facts: what the run's figures found out; `find_facts` fills it before anything is drawn.
    """

    engine: Engine
    untrained: Callable[[], Engine]
    data: DataSet
    metrics: Mapping[str, float]
    seed: int
    title: str
    footer: str
    folder: RunFolder
    facts: Facts = field(default_factory=dict)
    _outputs: dict[str, Array] = field(default_factory=dict, repr=False)

    def outputs(self, split: str) -> Array:
        """What the network says of a split's samples, (N, …); the network is asked once, whatever is drawn of it."""
        if split not in self._outputs:
            self._outputs[split] = outputs(self.engine, self.data.splits[split])
        return self._outputs[split]

    def output(self, name: str, title: str) -> Output:
        """Where a figure goes, and its words."""
        return Output(self.folder.figures / f"{name}.png", title, self.footer)

    def history(self) -> dict[str, NDArray[np.float64]]:
        """metrics.jsonl by column, (epochs,) each."""
        return {name: np.array(values, dtype=np.float64) for name, values in self.folder.history().items()}


@dataclass(frozen=True)
class Figure:
    """draw: writes PNGs into the run's folder, or none where there is nothing to show. Called after `facts`.

    facts: what it finds out, without drawing; a sweep wants no more. frame: the same as pixels, cheap enough to be made
    while training (`task.frames`). needs: what of a data set it cannot do without, such as `classes`. inside: it looks
    into the network, so that only families that name it have it.
    """

    draw: Callable[[FinishedRun], None]
    facts: Callable[[FinishedRun], Facts] | None = None
    frame: Callable[[DataSet, Engine], Pixels] | None = None
    needs: Sequence[str] = ()
    inside: bool = False


FIGURES = Group("", "task.figures", "duograd.runner.plots.figures", "FIGURE", Figure)


def metric_curve(metric: str, title: str, what: str) -> Callable[[FinishedRun], None]:
    """What draws a metric of each split over epochs, as METRIC_curve.png; `what` says what it measures."""

    def draw(run: FinishedRun) -> None:
        history = run.history()
        names = [name for name in history if name.endswith(f"/{metric}")]
        draw_metrics(history, names, run.output(f"{metric}_curve", f"{title}: {run.title}"), what)

    return draw


def left_out(name: str, data: DataSet, model: ModelConfig) -> str | None:
    """Why the named figure shows nothing of such data and such a network; None where it does."""
    figure = FIGURES.find(name)
    if lacking := [need for need in figure.needs if not getattr(data, need)]:
        return f"data={data.name} has no {', '.join(lacking)}"
    if figure.inside and name not in FAMILIES.of(model).figures:
        return f"networks of model.family={model.family} have none"
    return None


def find_facts(name: str, run: FinishedRun) -> None:
    """Put what the named figure finds out about a run into `run.facts`."""
    if facts := FIGURES.find(name).facts:
        run.facts.update(facts(run))


def draw_figure(name: str, run: FinishedRun) -> None:
    """Draw the named figure into the run's folder, once its facts are known."""
    FIGURES.find(name).draw(run)


def frame_drawers(names: Sequence[str], data: DataSet) -> dict[str, Callable[[Engine], Pixels]]:
    """What draws each named figure while training. Raises UserError for one that is too slow for that."""
    drawers: dict[str, Callable[[Engine], Pixels]] = {}
    for name in names:
        frame = FIGURES.find(name).frame
        if frame is None:
            known = ", ".join(FIGURES.where(lambda figure: figure.frame is not None))
            raise UserError(f"task.frames: '{name}' is drawn of finished runs alone; as frames there are {known}")
        drawers[name] = partial(frame, data)
    return drawers
