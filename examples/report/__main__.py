"""python examples/report: docs/errata.md, with what the debugger says of each of the report's wrong gradients.

And how a network learns with each, and without it.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from duograd.data.load import load
from duograd.runner.compose import compose
from duograd.runner.gradcheck.discovery import layers_of, load_module
from duograd.runner.gradcheck.findings import check_layer
from duograd.runner.gradcheck.verdict import LayerCheck
from duograd.runner.plots.curves import Curve, overlay
from duograd.runner.plots.text import Output

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[1] / "docs"
SEEDS = 3

Params = dict[str, np.ndarray]
Cost = Callable[..., tuple[float, Params]]

# Row of the report's list, file, function, what the report does.
ROWS = (
    (1, "autoencoder", "half_the_error", "the error's gradient is ½(o − d)"),
    (2, "autoencoder", "penalty_divided", "the penalty's gradient is divided by the number of samples"),
    (3, "autoencoder", "one_sparsity_for_all", "one mean activation serves all hidden units"),
    (5, "recurrent", "error_at_every_step", "the last step's error enters at every time step"),
    (6, "recurrent", "first_step_left_out", "the loop back through time leaves the first step out"),
    (7, "recurrent", "supervised_at_every_step", "every step's state is classified, not the last one's"),
    (10, "recurrent", "StateCarriedOn", "a batch begins with the state in which the one before it ended"),
    (15, "dense", "clamped_slope", "ReLU's slope is its input, held between 0 and 1"),
    (17, "dense", "before_the_relu", "the output layer's gradient takes values from before the ReLU"),
)


def samples(file: str) -> tuple[np.ndarray, ...]:
    """Data that is at hand offline: patches of photographs, simulated movement, handwritten digits."""
    if file == "autoencoder":
        config = compose(["task=autoencoder", "data.count=2000", "data.size=8", "dtype=float64"])
        return (load(config.data, "float64").train.inputs,)
    if file == "recurrent":
        offline = ["task=activity", "data=gait", "data.count=300", "data.window=30", "dtype=float64"]
        train = load(compose([*offline, "data.standardise=true"]).data, "float64").train
        assert train.targets is not None
        return train.inputs, train.targets
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.data / 16, digits.target


def start(file: str, data: tuple[np.ndarray, ...], seed: int) -> Params:
    """Initial parameters, uniform in ±√(6 / (fan in + fan out)); biases too, as in the report."""
    rng = np.random.default_rng(seed)
    width = data[0].shape[-1]
    classes = len(set(data[1].tolist())) if len(data) > 1 else 0
    shapes: dict[str, dict[str, tuple[int, ...]]] = {
        "autoencoder": {"W1": (16, width), "b1": (16,), "W2": (width, 16), "b2": (width,)},
        "recurrent": {"W": (32, width), "U": (32, 32), "b": (32,), "V": (classes, 32), "c": (classes,)},
        "dense": {"W1": (32, width), "b1": (32,), "W2": (classes, 32), "b2": (classes,)},
    }
    return {n: rng.uniform(-1, 1, s) * np.sqrt(6 / (sum(s) + (len(s) == 1))) for n, s in shapes[file].items()}


def learn(file: str, cost: Any, right: Cost, data: tuple[np.ndarray, ...], seed: int) -> np.ndarray:
    """The loss of all samples after each epoch, from the same start and in the same order for every cost."""
    p = start(file, data, seed)
    memory = {name: np.zeros_like(w) for name, w in p.items()}
    epochs, size, rate = {"autoencoder": (200, None, 0.9), "recurrent": (30, 30, 2e-3), "dense": (30, 32, 0.1)}[file]
    carried = cost(p, size) if isinstance(cost, type) else None
    losses = []
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(data[0]))
        for first in range(0, len(order), size or len(order)):
            batch = tuple(values[order[first : first + (size or len(order))]] for values in data)
            grads = _carried(carried, p, batch) if carried else cost(p, *batch)[1]
            for name, w in p.items():
                if file == "recurrent":  # RMSprop, as in the report
                    memory[name] = 0.9 * memory[name] + 0.1 * grads[name] ** 2
                    w -= rate * grads[name] / (np.sqrt(memory[name]) + 1e-6)
                else:
                    w -= rate * grads[name]
        losses.append(right(p, *data)[0])
    return np.array(losses)


def _carried(layer: Any, p: Params, batch: tuple[np.ndarray, ...]) -> Params:
    """The gradient of a classifier on the layer's last state."""
    x, y = batch
    h = layer.forward(x)
    _, dscores = sys.modules["recurrent"].cross_entropy(h @ p["V"].T + p["c"], y)
    layer.backward(dscores @ p["V"])
    return layer.grads | {"V": dscores.T @ h, "c": dscores.sum(axis=0)}


def build() -> Iterator[str]:
    """The page, line by line; its pictures are written on the way."""
    yield "# What the report's gradients did"
    yield ""
    yield "Made by `python examples/report`: each mistake of the course report that stands in a gradient, in a few"
    yield "lines of its own ([examples/report](../examples/report)), what `duograd gradcheck` says of it, and how a"
    yield f"network learns with it and without it (mean of {SEEDS} seeds, the same start and order; the loss of all"
    yield "training samples, by the exact cost). Rows are numbered as in the report's list of errors; those that are no"
    yield "gradients are not here. Whole trainings by them, `gradient=report` or `gradient=row_5`, and what each"
    yield "changes there: [reproduce.md](reproduce.md#the-reports-mistakes)."
    yield ""
    for file in ("autoencoder", "recurrent", "dense"):
        module, source = load_module(HERE / f"{file}.py")
        layers = {layer.name: layer for layer in layers_of(module, source)}
        data, right = samples(file), module.right
        exact = np.mean([learn(file, right, right, data, seed) for seed in range(SEEDS)], axis=0)
        curves = [Curve("exact gradient", exact, 0)]
        for row, _, name, what in (r for r in ROWS if r[1] == file):
            check = check_layer(layers[name])
            losses = np.mean([learn(file, getattr(module, name), right, data, s) for s in range(SEEDS)], axis=0)
            curves.append(Curve(f"row {row}: {name.replace('_', ' ')}", losses, len(curves)))
            yield from section(row, file, what, check, exact[-1], losses[-1])
        path = DOCS / "figures" / f"errata_{file}.png"
        overlay({file: curves}, Output(path, f"The report's gradients: {file}", "training loss"), "loss of all samples")
        yield f"![learning with and without the mistakes](figures/{path.name})"
        yield ""


def section(row: int, file: str, what: str, check: LayerCheck, exact: float, loss: float) -> Iterator[str]:
    """One mistake: what the debugger says, and where it ends."""
    yield f"## Row {row}: {what}"
    yield ""
    yield "```"
    yield from (str(f) for f in check.findings) if check.findings else [f"{check.name}: every gradient is right"]
    yield "```"
    yield ""
    if check.ok:
        yield "Each gradient is the exact one of its own batch; what is wrong is where the batch begins."
    yield f"Loss at the end: {loss:.4f}, with the exact gradient {exact:.4f} (`examples/report/{file}.py`)."
    yield ""


if __name__ == "__main__":
    (DOCS / "errata.md").write_text("\n".join(build()).rstrip() + "\n")
