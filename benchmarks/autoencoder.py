"""One epoch of the main job: N = 10240, 256 → 64 → 256, full batch, float32: forward, cost, gradient, update."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import CONSOLE, Target, kernel, report, side_by_side
from duograd.data.dataset import Batch
from duograd.models.families.autoencoder.numpy_net import AutoencoderNet, initial_weights
from duograd.models.families.autoencoder.torch_net import TorchAutoencoder
from duograd.runner.compose import compose
from duograd.runner.engines.numpy_engine import NumpyEngine
from duograd.runner.engines.torch_engine import TorchEngine

Array = NDArray[Any]
N, INPUTS, ROUNDS = 10240, 256, 10
TARGETS = [
    Target("NumPy", "torch eager", 0.65),
    Target("NumPy", "torch.compile", 0.75),
    Target("NumPy", "five products alone", 1.25),
    Target("the report's arithmetic", "NumPy", 5.0, at_least=True),
]


def main() -> None:
    """Prints times, ratios and memory."""
    CONSOLE.print(f"autoencoder, one epoch; {kernel()}", highlight=False)
    batch = Batch(np.random.default_rng(0).uniform(0.1, 0.9, (N, INPUTS)).astype(np.float32), None)
    by_hand = numpy_epoch(batch)
    tracemalloc.start()
    by_hand()
    beyond, data = tracemalloc.get_traced_memory()[1] / 2**20, batch.inputs.nbytes / 2**20
    tracemalloc.stop()
    CONSOLE.print(f"memory of a NumPy epoch beyond the data ({data:.1f} MB): {beyond:.1f} MB")
    work = {
        "NumPy": by_hand,
        "torch eager": torch_epoch(batch, compiled=False),
        "torch.compile": torch_epoch(batch, compiled=True),
        "five products alone": products(batch.inputs),
        "the report's arithmetic": reports_epoch(batch.inputs),
    }
    report("autoencoder epoch", side_by_side(work, ROUNDS), TARGETS)


def numpy_epoch(batch: Batch) -> Callable[[], object]:
    config = compose(["task=autoencoder"])
    engine = NumpyEngine(AutoencoderNet(config.model, config.loss, (INPUTS,), INPUTS, 0), config.optimizer)
    return lambda: engine.step(batch, 0.1)


def torch_epoch(batch: Batch, compiled: bool) -> Callable[[], object]:
    config = compose(["task=autoencoder"])
    net = TorchAutoencoder(config.model, config.loss, (INPUTS,), INPUTS, 0, np.float32)
    engine = TorchEngine(net, config.optimizer, compiled=compiled)
    return lambda: float(engine.step(batch, 0.1)["loss"])


def products(x: Array) -> Callable[[], object]:
    """The five matrix products that an epoch cannot do without, on all threads, nothing else."""
    config = compose(["task=autoencoder"])
    weights = initial_weights(config.model, INPUTS, 0, np.float32)
    W1, W2 = weights["encoder.weight"], weights["decoder.weight"]
    h, o = np.empty((N, len(W1)), np.float32), np.empty_like(x)
    dW1, dW2, dh = np.empty_like(W1), np.empty_like(W2), np.empty_like(h)

    def work() -> None:
        np.matmul(x, W1.T, out=h)
        np.matmul(h, W2.T, out=o)
        np.matmul(o.T, h, out=dW2)
        np.matmul(o, W2, out=dh)
        np.matmul(dh.T, x, out=dW1)

    return work


def reports_epoch(x: Array) -> Callable[[], object]:
    """The report's own arithmetic: float64 weights, a fresh array for every step (its formulas, not its code)."""
    config = compose(["task=autoencoder"])
    weights = initial_weights(config.model, INPUTS, 0, np.float64)
    W1, b1, W2, b2 = (w.T.copy() if w.ndim == 2 else w[None] for w in weights.values())
    lambda_, beta, rho = config.loss.lambda_, config.loss.beta, config.loss.rho

    def work() -> None:
        nonlocal W1, b1, W2, b2
        h = 1 / (1 + np.exp(-(x @ W1 + b1)))
        o = 1 / (1 + np.exp(-(h @ W2 + b2)))
        rho_hat = h.mean(axis=0, keepdims=True)
        kl = rho * np.log(rho / rho_hat) + (1 - rho) * np.log((1 - rho) / (1 - rho_hat))
        _ = 0.5 / N * ((x - o) ** 2).sum() + lambda_ / 2 * ((W1**2).sum() + (W2**2).sum()) + beta * kl.sum()
        d2 = (o - x) * (o * (1 - o))
        d1 = (d2 @ W2.T + beta * (-rho / rho_hat + (1 - rho) / (1 - rho_hat))) * (h * (1 - h))
        W2, b2 = W2 - 0.1 * (h.T @ d2 / N + lambda_ * W2), b2 - 0.1 * d2.mean(axis=0, keepdims=True)
        W1, b1 = W1 - 0.1 * (x.T @ d1 / N + lambda_ * W1), b1 - 0.1 * d1.mean(axis=0, keepdims=True)

    return work


if __name__ == "__main__":
    main()
