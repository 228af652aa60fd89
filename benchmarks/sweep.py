"""What a sweep costs: nine autoencoders beside nine commands and Hydra's basic launcher; a hundred tiny jobs.

python -m benchmarks.sweep [grid | tiny]
"""

import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

from benchmarks.measure import Target, report, verdict
from duograd.runner.sweep.cluster import cores

HIDDEN, LAMBDAS = ("10", "50", "100"), ("0", "1e-5", "1e-3")
GRID = [f"model.hidden_size={','.join(HIDDEN)}", f"loss.lambda={','.join(LAMBDAS)}"]
LONG = ["task=autoencoder", "data.count=10240", "epochs=300"]
TARGETS = [Target("sweep", "nine commands", 0.60), Target("sweep", "hydra/launcher=basic", 1.0)]
TINY, FEWER = 100, 20  # jobs
TINY_SECONDS, FIXED_SECONDS = 60.0, 0.25  # promised: for all of them; for each beyond its training, in a warm worker


def main(what: list[str]) -> None:
    """Prints seconds, ratios, and what was promised of them."""
    with tempfile.TemporaryDirectory() as folder:
        if not what or "grid" in what:
            grid(Path(folder))
        if not what or "tiny" in what:
            tiny(Path(folder))


def grid(folder: Path) -> None:
    """The same nine runs three times over, with MLflow, as they come out of the box."""
    jobs = [[f"model.hidden_size={h}", f"loss.lambda={l}"] for h, l in product(HIDDEN, LAMBDAS)]
    seconds = {
        "sweep": [duograd(folder, "-m", *LONG, *GRID, "hydra.sweep.dir=dask")],
        "nine commands": [sum(duograd(folder, *LONG, *job, f"hydra.run.dir={i}") for i, job in enumerate(jobs))],
        "hydra/launcher=basic": [duograd(folder, "-m", *LONG, *GRID, "hydra/launcher=basic", "hydra.sweep.dir=basic")],
    }
    report("nine autoencoders, 300 epochs", seconds, TARGETS)


def tiny(folder: Path) -> None:
    """Jobs of one epoch: what is beside training shows."""
    seconds = {n: duograd(folder, *tiny_sweep(n)) for n in (FEWER, TINY)}
    verdict("a hundred tiny jobs", seconds[TINY], TINY_SECONDS)
    verdict("a job beyond its training", cores() * (seconds[TINY] - seconds[FEWER]) / (TINY - FEWER), FIXED_SECONDS)


def tiny_sweep(jobs: int) -> list[str]:
    return ["-m", "preset=smoke", "epochs=1", f"seed=range({jobs})", f"hydra.sweep.dir=tiny{jobs}"]


def duograd(folder: Path, *arguments: str) -> float:
    """Seconds of a command, to its very end: MLflow included."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "duograd", *arguments], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(sys.argv[1:])
