"""Charts of what is hard to draw, by name: long and odd names, gaps, one epoch, many curves, NaN and infinity."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from drawn import LONG, NAN

from duograd.runner.plots.by_axis import AxisRuns, Parameter, lines_by_axis, scatter
from duograd.runner.plots.confusion import confusion_matrices, confusion_matrix
from duograd.runner.plots.curves import Curve, draw_metrics, overlay
from duograd.runner.plots.figures.gradient_norm import draw_norms
from duograd.runner.plots.figures.loss_curve import draw_loss
from duograd.runner.plots.figures.step_curve import draw_steps
from duograd.runner.plots.figures.windows import draw_windows
from duograd.runner.plots.heat_map import Grid, Side, heat_maps
from duograd.runner.plots.search import search_history, share_bars
from duograd.runner.plots.text import Output

Draw = Callable[[Output], Path]
DRAWINGS: dict[str, Draw] = {}
RNG = np.random.default_rng(0)
NAME = "hidden_size=100 optimizer=vanilla_adam lambda=1e-05 seed="  # of 60 characters with its number
FORMULA = "no formula: $\\frac{$ 照片"
VALUES = RNG.random((3, 4)) + 1e-5
COUNTS = RNG.integers(0, 10**5, (12, 12))
CURVES = [Curve(f"{NAME}{k:03}", RNG.random(9), k, k // 7) for k in range(40)]
CLASSES = [f"{'going ' * (k % 5)}downstairs {k}" for k in range(12)]


def add(name: str, draw: Callable[..., Path], *given: Any, **keys: Any) -> None:
    """A drawing whose function takes `Output` where `...` stands."""
    DRAWINGS[name] = lambda out: draw(*(out if one is ... else one for one in given), **keys)


def history(epochs: int) -> dict[str, Any]:
    loss = np.geomspace(3, 0.01, epochs)
    return {"train/loss": loss, "train/mse": loss / 2, "train/l2": 0 * loss, "val/loss": loss * 1.1}


for epochs in (1, 2, 5000):
    add(f"loss of {epochs} epochs", draw_loss, history(epochs), ..., ("mse", "l2", "kl"))
LEFT = ([], [NAN], [NAN, 1.0, NAN, 2.0], [0.0, 0.0], [1.5] * 4, [1.0, 1e308, np.inf], [-1.0, 2.0], [None, 1.0])
for losses in LEFT:
    add(f"loss {losses}", draw_loss, {"train/loss": losses, FORMULA: [1.0], "val/loss": [1.0]}, ..., ())
add("40 curves at their ends", overlay, {"train": CURVES}, ..., "loss")
add("40 curves in a legend", overlay, {"train": CURVES, "validation": CURVES}, ..., "loss")
add("equal curves", draw_metrics, {f"{NAME}{k}": [1, 1] for k in range(20)}, [f"{NAME}{7}"], ..., "")
add("one epoch", overlay, {"train": [Curve(c.name, [k]) for k, c in enumerate(CURVES)]}, ..., "loss")
ODD = [Curve("", [NAN] * 4), Curve("inf", [np.inf, 1.0], 1), Curve("none", [], 2), Curve(LONG, [NAN, 2.0], 3)]
add("odd curves", overlay, {"train": CURVES, "test": ODD}, ..., "loss")
add("odd curves alone", overlay, {"train": ODD, "validation": [], "test": []}, ..., "loss")
add("one name for three curves", overlay, {"train": CURVES[:1] * 3}, ..., "loss", "linear")
add("nothing", overlay, {"train": [Curve("a", [NAN])]}, ..., "loss")

for steps in (1, 2, 39, 80, 7660, 100_000):
    noisy = 2 + np.random.default_rng(0).standard_normal(steps)
    add(f"{steps} steps", draw_steps, np.arange(1, steps + 1), noisy, [steps // 2, steps], ...)
for losses in ([], [NAN], [1.0, NAN, np.inf, 2.0], [0.0, 0.0], [1e-9, 1e9]):
    add(f"steps {losses}", draw_steps, range(1, len(losses) + 1), losses, [], ...)
for steps in (1, 2, 150):
    norms = {"at the start": np.geomspace(1e-40, 0.1, steps), "at the end": np.geomspace(1e9, 0.2, steps)}
    add(f"norms of {steps} steps", draw_norms, norms, ...)
ZEROS = ([], [0.0] * 9, [NAN] * 9, [1.5] * 9, [0.0, NAN, np.inf, 1e-300, 1e300], [1e-18, 1e99], [0.0, 1.0, 0.0])
for values in ZEROS:
    add(f"norms {values}", draw_norms, {FORMULA: values}, ...)
add("no norms", draw_norms, {}, ...)

seven = [Grid(f"{NAME}{k}", VALUES, VALUES / 9) for k in range(7)]
add("7 heat maps", heat_maps, seven, Side(NAME, "abc"), Side(NAME, [NAME] * 4), True, ..., "")
for what, cells in {"nothing": NAN, "ones": 1.0, "-1": -1.0, "wide": np.array([[1.0, NAN], [1e-9, 1e9]])}.items():
    grid = np.full((2, 2), cells)
    grids = [Grid(f"panel {LONG[: 40 * k]}", grid, grid / 10, {(0, 1): "diverged"}) for k in range(3)]
    sides = Side(LONG[:30], ["照片", "$x$"]), Side("columns", ["1e-05", LONG[:80]])
    add(f"heat maps of {what}", heat_maps, grids, *sides, False, ..., "what")

RUNS = [np.array([1.0, 2.0, 30.0]), np.array([NAN]), np.empty(0), np.array([4.0])]
WHISKERS = [np.array([-29.0, 51.0]), *[np.empty(0)] * 3]
AXES = [
    AxisRuns(LONG[:60], [0.1, 1, 10, 1000], RUNS, WHISKERS),
    AxisRuns("names", ["sgd", LONG, FORMULA, ""], RUNS, WHISKERS),
    AxisRuns("nothing", [1, 2], [np.empty(0)] * 2, WHISKERS[1:3]),
    AxisRuns("one", [1], RUNS[:1], WHISKERS[:1]),
]
for count in (1, 2, 4):
    add(f"means over {count} axes", lines_by_axis, AXES[:count], ..., "what", "with its 95 % interval")
add("means of long names", lines_by_axis, [AxisRuns(NAME, [NAME] * 4, [VALUES[0]] * 4, WHISKERS)] * 4, ..., "", "")
add("close numbers", lines_by_axis, [AxisRuns("lr", [0, 1e-5, 1e-3, 1], [VALUES[0]] * 4, WHISKERS)], ..., "", "")
for reached in ((1.0,), (NAN, NAN), (NAN, 3.0, 2.0, 1e9, NAN, 1e-9, 2.5), (1e300, 1.0, -1.0), ()):
    n = len(reached)
    whole = np.arange(n) % 2 == 0
    words = [f"{FORMULA} {LONG[: 10 * k]}" for k in range(n)]
    kinds: list[Any] = [[10.0**k for k in range(n)], words, [0.0] * n, [k - 1.5 for k in range(n)]]
    clouds = [Parameter(f"{LONG[:30]}{k}", kinds[k % 4]) for k in range(5)]
    for rises in (True, False):
        add(f"history of {reached} {rises}", search_history, np.array(reached), whole, rises, ..., "what")
    for count in (1, 5) if n else ():
        add(f"dots of {reached} over {count}", scatter, clouds[:count], np.array(reached), whole, ..., "what")
add("dots", scatter, [Parameter(NAME, [NAME, "b", *"abcdef"])] * 3, np.arange(8.0), np.ones(8, bool), ..., "")
add("shares", share_bars, {LONG: 0.0, FORMULA: 1.0, "lr": 0.5}, ..., "what")

for normalise, n in {"counts": 2, "recall": 3, "precision": 9}.items():
    counts = np.random.default_rng(8).integers(0, 10**6, (n, n))
    counts[0], counts[:, 1] = 0, 0
    add(f"{n} classes", confusion_matrix, counts, [LONG[: 10 * (k + 1)] for k in range(n)], ..., normalise)
add("12 classes", confusion_matrix, COUNTS, CLASSES, ...)
for n in (2, 6):
    counts = COUNTS[:n, :n] * (np.arange(n) > 0)[:, None]
    matrices = {f"run {LONG[: 20 * k]} {k}": counts * (k > 0) for k in range(5)}
    add(f"matrices of {n}", confusion_matrices, matrices, [LONG[: 7 * (k + 1)] for k in range(n)], ..., "test")
add("matrices of 12", confusion_matrices, {f"{NAME}{k}": COUNTS for k in range(3)}, CLASSES, ..., "test")
add("windows", draw_windows, RNG.random((12, 9, 3)), [NAME, "y", "z"], "g", CLASSES, CLASSES[::-1], ...)
