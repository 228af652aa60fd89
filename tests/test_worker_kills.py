"""A sweep on three workers, of which some are killed while they train, loses nothing: each job ends as undisturbed."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from cluster_builders import machines
from halting import OPTIMIZER_FILE
from patience import HANGING_S, wait_until
from sweep_builders import SAME_BYTES, SMALL, epochs, started, statuses, sweep, trainer

from duograd.runner.compose import compose
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

SIZES, SWEEPS = (3, 4, 5, 6, 7, 8), 10
JOBS = [OPTIMIZER_FILE, "batch_size=50", "checkpoint.every_seconds=0.02"]


def undisturbed(folder: Path, *overrides: str) -> dict[int, RunFolder]:
    """The runs of the jobs, each by itself, in this process."""
    runs = {size: RunFolder(folder / f"hidden_size={size}") for size in SIZES}
    for size, one in runs.items():
        config = compose(["task=autoencoder", "tracking=none", *SMALL, *JOBS, *overrides, f"model.hidden_size={size}"])
        assert run(config, one, []) == 0
    return runs


def same(calm: dict[int, RunFolder], folder: Path) -> bool:
    names = [(size, name) for size in calm for name in SAME_BYTES]
    found = [(folder / f"hidden_size={size}" / name).read_bytes() for size, name in names]
    return found == [(calm[size].path / name).read_bytes() for size, name in names]


@pytest.mark.slow
def test_a_cluster_that_the_user_started_loses_a_worker(tmp_path):
    """In the middle of a job, which goes on where it was."""
    folder, grid = tmp_path / "sweep", f"model.hidden_size={','.join(map(str, SIZES))}"
    (tmp_path / "hold-150").touch()
    with machines(tmp_path, 3) as cluster:
        process = started(sweep(folder, grid, *JOBS, "epochs=60", *cluster.overrides), tmp_path)
        wait_until(lambda: sum(epochs(path) == 37 for path in folder.glob("hidden_size=*")) == 3, process)
        [victim, *_] = sorted(path for path in folder.glob("hidden_size=*") if epochs(path))
        os.kill(wait_until(lambda: trainer(victim)), signal.SIGKILL)
        (tmp_path / "hold-150").unlink()
        output, _ = process.communicate(timeout=HANGING_S)
    assert process.returncode == 0, output
    assert f"{victim.name}: its worker is gone after epoch 37; sent again" in output
    assert set(statuses(folder).values()) == {"FINISHED"}
    assert same(undisturbed(tmp_path / "calm", "epochs=60"), folder)


@pytest.mark.slow
def test_ten_sweeps_of_which_each_loses_a_worker_at_any_moment(tmp_path, record_property):
    calm, rng, hit = undisturbed(tmp_path / "calm", "epochs=300"), random.Random(1), 0
    with machines(tmp_path, 3) as cluster:
        for number in range(SWEEPS):
            folder = tmp_path / f"sweep{number}"
            grid = [f"model.hidden_size={','.join(map(str, SIZES))}", *JOBS, "epochs=300"]
            process = started(sweep(folder, *grid, *cluster.overrides), tmp_path)
            wait_until((folder / "sweep.json").exists, process)
            time.sleep(rng.uniform(0, 4))
            victim = cluster.workers.pop(number % 3)
            hit += any(trainer(path) == victim.pid for path in folder.glob("hidden_size=*"))
            victim.kill()
            victim.wait()
            output, _ = process.communicate(timeout=HANGING_S)
            assert process.returncode == 0, output
            assert set(statuses(folder).values()) == {"FINISHED"}
            assert same(calm, folder), number
            cluster.start_workers(1)
    record_property(
        "count", f"{SWEEPS} of {SWEEPS} sweeps of {len(SIZES)} jobs on three workers; {hit} killed in a job"
    )
