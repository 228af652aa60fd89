"""The figures of a finished training. One that cannot be drawn is a warning: the run ended as its training did."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from duograd.data.dataset import DataSet
from duograd.models.family import ModelConfig
from duograd.runner.display import counted
from duograd.runner.engines import Engine
from duograd.runner.plots.figure import FinishedRun, draw_figure, find_facts, left_out
from duograd.runner.store.folders import RunFolder
from duograd.runner.training import Floats, Interrupted

LONGEST_TITLE = 60  # characters of a picture's title; the run folder knows the rest


def finished_run(
    engine: Engine,
    untrained: Callable[[], Engine],
    data: DataSet,
    metrics: Floats,
    who: Mapping[str, Any],
    epochs: int,
    folder: RunFolder,
) -> FinishedRun:
    """What figures are drawn of. who: run.json."""
    name, seed = str(who["name"]), int(who["seed"])
    says_it = len(name) <= LONGEST_TITLE and not name.isdecimal()  # a sweep's only job has a mere number
    title = name if says_it else f"{who['model']} {who['backend']}"
    footer = f"{data.name}, {data.source} · seed {seed} · {counted(epochs, 'epoch')}"
    return FinishedRun(engine, untrained, data, metrics, seed, title, footer, folder)


def draw_figures(
    names: Sequence[str],
    run: FinishedRun,
    model: ModelConfig,
    wanted: Callable[[str], bool],
    log: logging.Logger,
    warn: Callable[[str], None],
) -> None:
    """Finds the facts of the named figures, and draws those into the run's folder that are wanted, asked in turn."""
    for name in names:
        if why := left_out(name, run.data, model):
            log.info("figure %s is left out: %s", name, why)
            continue
        try:
            find_facts(name, run)
            if wanted(name):
                draw_figure(name, run)
        except Interrupted:
            warn(f"{name} and what follows it: not drawn, ended by a signal")
            break
        except Exception as error:
            warn(f"{name} could not be drawn: {error!r}; the traceback is in {run.folder.log}")
