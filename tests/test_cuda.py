"""Every task on a GPU beside the CPU. Where none is, these are skipped, and have said nothing."""

import time

import numpy as np
import pytest
import torch
from test_stack import GAIT, PATCHES, SHAPES, agree, alone, configs, together

from duograd.runner import build
from duograd.runner.compose import compose

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: torch sees no CUDA device")
TASKS = {
    "autoencoder": PATCHES,
    "rnn": [*GAIT, "model=rnn"],
    "gru": [*GAIT, "model=gru", "model.reset_after=true"],
    "lstm": [*GAIT, "model=lstm"],
    "transformer": [*GAIT, "model=transformer", "model.hidden_size=8"],
    "convnet": [*SHAPES, "model=three_layer_convnet"],
    "batch_norm": [*SHAPES, "model=convnet"],
    "table": ["task=table", "epochs=2"],
    "values": ["task=table", "data.set=diabetes", "loss=squared_error", "epochs=2"],
}
BFLOAT16 = 2e-2  # eight bits of a number, and a few products on top of one another
TF32 = 1e-2  # ten bits
SEEDS, GAIN = 32, 10
PARITY = 1e-9  # float64, sums in another order


def gradient(*overrides, dtype="float64"):
    """The loss of a first batch, and its gradient as one vector."""
    config = compose(["tracking=none", "backend=torch", f"dtype={dtype}", *overrides])
    data = build.data_set(config)
    engine = build.engine(config, data)
    terms, grads = engine.loss_and_grad(data.train.batch(slice(config.batch_size or len(data.train))))
    return float(terms["loss"]), np.concatenate([grads[name].ravel() for name in sorted(grads)])


def close(a, b, tolerance):
    assert a[0] == pytest.approx(b[0], rel=tolerance)
    assert np.linalg.norm(a[1] - b[1]) <= tolerance * np.linalg.norm(b[1])


@pytest.mark.parametrize("task", TASKS)
def test_a_gpu_says_what_the_cpu_says(task):
    close(gradient(*TASKS[task], "device=cuda"), gradient(*TASKS[task]), PARITY)


@pytest.mark.parametrize("task", TASKS)
def test_a_gpu_trains_to_where_the_cpu_does(task):
    overrides = ["optimizer=sgd", "optimizer.lr=0.01"]  # an adaptive rule magnifies the rounding of what is zero
    [gpu], [cpu] = (configs(*TASKS[task], *overrides, device, own=[[]]) for device in ("device=cuda", "device=cpu"))
    assert alone(gpu).metrics == pytest.approx(alone(cpu).metrics, rel=PARITY)


@pytest.mark.parametrize("tf32", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_short_products(task, tf32, monkeypatch):
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", tf32)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", tf32)
    gpu, cpu = gradient(*TASKS[task], "device=cuda", dtype="float32"), gradient(*TASKS[task], dtype="float32")
    close(gpu, cpu, TF32 if tf32 else 1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_autocast(task):
    half = gradient(*TASKS[task], "device=cuda", "backend.autocast=bfloat16", dtype="float32")
    assert half[0] == pytest.approx(gradient(*TASKS[task], dtype="float32")[0], rel=BFLOAT16)
    assert np.isfinite(half[1]).all()


@pytest.mark.parametrize("task", ["autoencoder", "convnet", "table"])
def test_compiled(task):
    close(gradient(*TASKS[task], "device=cuda", "backend.compile=true"), gradient(*TASKS[task]), PARITY)


@pytest.mark.parametrize("task", TASKS)
def test_a_stack_on_a_gpu(task):
    runs = configs(*TASKS[task], "device=cuda", "optimizer=sgd", "optimizer.lr=0.01")
    for end, config in zip(together(runs), runs, strict=True):
        agree(end, alone(config))


@pytest.mark.slow
def test_many_seeds_at_once():
    """`benchmarks.stack` has the figure; here the order of magnitude."""
    many = ["data.count=320", "data.window=150", "model=gru", "model.hidden_size=32"]
    runs = configs(*GAIT, *many, "device=cuda", own=[[f"seed={seed}"] for seed in range(SEEDS)], dtype="float32")
    one = taken(lambda: alone(runs[0]))
    assert SEEDS * one / taken(lambda: together(runs)) >= GAIN


def taken(work):
    work()  # warm
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
