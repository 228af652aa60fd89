"""How much worse the loss gets where a column's values are dealt to other samples: what the network looks at (Breiman
2001). Columns that say the same share it, so that each may seem to matter little.

Legend: N samples, I inputs.
"""

from collections.abc import Sequence

import numpy as np

from duograd.data.dataset import Array, Batch, Split
from duograd.runner.engines import Engine
from duograd.runner.plots.bars import draw_bars
from duograd.runner.plots.figure import Facts, Figure, FinishedRun

REPEATS = 5  # permutations of a column, of which the mean
SAMPLES = 2000  # at most, of the split
COLUMNS = 200  # at most: of more, each costs an evaluation for little to read
SHOWN = 20  # bars


def importances(engine: Engine, split: Split, columns: Sequence[str], rng: np.random.Generator) -> dict[str, float]:
    """The mean rise of the loss by column, from most to least; inputs (N, I) that share a column move together."""
    batch = split.batch(slice(SAMPLES))
    loss = float(engine.evaluate(batch)["loss"])
    names = np.array(columns)
    rises = {}
    for name in list(dict.fromkeys(columns))[:COLUMNS]:
        moved = (permuted(batch.inputs, names == name, rng) for _ in range(REPEATS))
        rises[name] = float(np.mean([float(engine.evaluate(Batch(x, batch.targets))["loss"]) for x in moved])) - loss
    return dict(sorted(rises.items(), key=lambda item: -item[1]))


def permuted(inputs: Array, column: Array, rng: np.random.Generator) -> Array:
    """Inputs (N, I), those of a column (I,) from other samples."""
    mixed = inputs.copy()
    mixed[:, column] = inputs[rng.permutation(len(inputs))][:, column]
    return mixed


def _facts(run: FinishedRun) -> Facts:
    split, rng = run.data.splits[run.data.held_out], np.random.default_rng(run.seed)
    return {"importance": importances(run.engine, split, run.data.columns, rng)}


def _draw(run: FinishedRun) -> None:
    rises = run.facts["importance"]
    bars = list(rises.items())[:SHOWN]
    most = f" · the first {SHOWN} of {len(rises)}" if len(rises) > SHOWN else ""
    subtitle = f"rise of the {run.data.held_out} loss where a column is shuffled, mean of {REPEATS}{most}"
    out = run.output("permutation_importance", f"Importance of columns: {run.title}")
    draw_bars(bars, out, subtitle, lambda value: f"{value:.3g}")


FIGURE = Figure(_draw, _facts, needs=["columns"])
