"""Networks that train as one (`hydra.launcher.stack`) beside the same trained one after the other, on one thread.

Throughput of one worker: a second one doubles both. Ratios are of processor time, which other programs do not change.
On a GPU, where one is at hand: 32 seeds at once beside one, by the clock.

python -m benchmarks.stack [NAME …]
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import torch

from benchmarks.measure import CONSOLE, Target, report
from duograd.data.dataset import DataSet
from duograd.runner import build, loop
from duograd.runner.compose import compose
from duograd.runner.config import RunConfig
from duograd.runner.engines.torch_stack import Member, Stack
from duograd.runner.training import Training

GAIT = ["task=activity", "data=gait", "data.count=320", "data.test_count=32", "optimizer.lr=1e-3"]
WORK = {
    "table, mlp": ["task=table", "epochs=30"],
    "digits, mlp 128": ["task=table", "data.set=digits", "model.dense=[128]", "epochs=3"],
    "rnn 16": [*GAIT, "model=rnn", "model.hidden_size=16", "epochs=1"],
    "gru 16": [*GAIT, "model=gru", "model.hidden_size=16", "epochs=1"],
    "gru 32": [*GAIT, "model=gru", "model.hidden_size=32", "epochs=1"],
    "rnn 128": [*GAIT, "model=rnn", "model.hidden_size=128", "epochs=1"],
}
SIZES = (8, 32)
ROUNDS = 3
PROMISED = ("table, mlp", "rnn 16", "gru 16", "gru 32")
GPU_SEEDS, GPU_GAIN = 32, 10.0


def main(names: list[str]) -> None:
    """Prints times and ratios."""
    torch.set_num_threads(1)
    for name in names or WORK:
        measure(name, "cpu", SIZES, time.process_time, 1.5 if name in PROMISED else None)
    if torch.cuda.is_available():
        CONSOLE.print(torch.cuda.get_device_name(), highlight=False)
        measure("gru 32", "cuda", (GPU_SEEDS,), time.perf_counter, GPU_GAIN)
    else:
        CONSOLE.print("no GPU here: its row is left out", highlight=False)


def measure(name: str, device: str, sizes: Sequence[int], clock: Callable[[], float], gain: float | None) -> None:
    """Seconds of as many networks alone, of which one is trained, and in a stack."""
    base = compose(["tracking=none", "backend=torch", f"device={device}", *WORK[name]])
    data = build.data_set(base)
    alone(base, data)  # warm
    seconds: dict[str, list[float]] = {f"{size} {how}": [] for size in sizes for how in ("alone", "as one")}
    for _ in range(ROUNDS):
        one = taken(clock, partial(alone, base, data))
        for size in sizes:
            runs = [base.model_copy(update={"seed": seed}) for seed in range(size)]
            seconds[f"{size} alone"].append(size * one)
            seconds[f"{size} as one"].append(taken(clock, partial(together, runs, data)))
    targets = [Target(f"{size} alone", f"{size} as one", gain or 0.0, at_least=True) for size in sizes]
    report(f"{name}, {device}", seconds, targets)


def taken(clock: Callable[[], float], work: Callable[[], object]) -> float:
    """Seconds of the work, by the clock."""
    start = clock()
    work()
    return clock() - start


def alone(config: RunConfig, data: DataSet) -> None:
    """One training, without a folder."""
    loop.fit(Training(build.engine(config, data), data, build.plan(config, data)), [])


def together(runs: Sequence[RunConfig], data: DataSet) -> None:
    """All trainings as one, each in its thread, as in a worker."""
    stack = Stack(len(runs))

    def train(number: int, config: RunConfig) -> None:
        try:
            engine = build.torch_engine(config, data, partial(Member, stack, number))
            loop.fit(Training(engine, data, build.plan(config, data)), [])
        finally:
            stack.leave()

    threads = [threading.Thread(target=train, args=each) for each in enumerate(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1:])
