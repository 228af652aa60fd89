"""The command line: what a run leaves, and what is refused. In real processes where what is printed counts; else in
this one."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from patience import HANGING_S
from PIL import Image
from run_builders import SAME_BYTES, SMALL, summary
from safetensors.numpy import load_file
from threadpoolctl import threadpool_limits


def duograd(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "duograd", *arguments]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=HANGING_S
    )


def run(folder: Path, *overrides: str, **environment: str) -> subprocess.CompletedProcess[str]:
    arguments = ["task=autoencoder", f"hydra.run.dir={folder.name}", *SMALL, *overrides]
    return duograd(*arguments, cwd=folder.parent, **environment)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One smoke run with tracking, for all tests that only look."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    done = run(folder, "preset=smoke", "data.validation_fraction=0.2")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done


def test_a_run_leaves_what_the_contract_promises(finished):
    folder, _ = finished
    for name in ("config.yaml", "run.json", "run.log", "clock.json", *SAME_BYTES):
        assert (folder / name).stat().st_size > 0
    for name in ("patches", "loss_curve", "hidden_weights", "reconstructions"):
        with Image.open(folder / "figures" / f"{name}.png") as image:
            assert min(image.size) > 200
    assert [path.name for path in sorted((folder / "frames" / "hidden_weights").iterdir())] == [
        f"{step:06d}.png" for step in range(4)
    ]
    assert not [path for path in folder.rglob("*") if path.suffix == ".tmp"]


def test_the_summary_is_complete_and_true(finished):
    folder, _ = finished
    content = summary(folder)
    assert (content["status"], content["error"], content["diverged"]) == ("FINISHED", None, False)
    assert (content["task"], content["model"], content["backend"]) == ("autoencoder", "autoencoder", "numpy")
    assert (content["data"], content["seed"], content["epochs"], content["steps"]) == ("photos_sample", 1500, 3, 3)
    assert content["parameters"] == 2 * 9 * 256 + 9 + 256
    assert content["seconds"] > content["train_seconds"] > 0
    assert content["peak_memory_mb"] > 30
    assert {"train/loss", "train/mse", "train/l2", "train/kl", "val/loss"} <= content["metrics"].keys()
    assert content["pca"]["components"] == 9
    assert content["versions"]["numpy"]
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert content["best"]["value"] == min(line["val/loss"] for line in lines)
    assert content["best"]["metric"] == "val/loss"


def test_checkpoints_hold_parameters_under_torchs_names(finished):
    folder, _ = finished
    best = load_file(folder / "best.safetensors")
    assert {name: w.shape for name, w in best.items()} == {
        "encoder.weight": (9, 256),
        "encoder.bias": (9,),
        "decoder.weight": (256, 9),
        "decoder.bias": (256,),
    }


def test_a_terminal_less_run_prints_plain_lines_and_where_everything_is(finished):
    folder, done = finished
    lines = done.stdout.splitlines()
    assert lines[0].startswith("autoencoder numpy")
    assert [line.partition("  ")[0] for line in lines if line.startswith("epoch ")] == ["epoch 1/3", "epoch 3/3"]
    assert f"everything is in {folder}" in lines
    assert "\x1b" not in done.stdout
    assert not done.stderr
    kept = [line.split(" ", 3)[3].strip() for line in (folder / "run.log").read_text().splitlines()]
    assert {line.strip() for line in lines if line.strip() and "MLflow" not in line} <= set(kept)


def test_the_run_is_in_mlflow(finished):
    folder, _ = finished
    with sqlite3.connect(folder.parent / "outputs" / "mlflow.db") as database:
        rows = database.execute("select status, name from runs").fetchall()
        losses = dict(database.execute("select step, value from metrics where key = 'train/loss'").fetchall())
        parameters = dict(database.execute("select key, value from params").fetchall())
        inputs = database.execute("select name from datasets").fetchall()
    database.close()
    assert [status for status, _ in rows] == ["FINISHED"]
    assert sorted(losses) == [1, 2, 3]
    assert parameters["model.hidden_size"] == "9"
    assert parameters["loss.lambda"] == "0.0005"
    assert inputs == [("photos_sample",)]


def test_a_used_folder_is_never_overwritten(finished, typed):
    folder, _ = finished
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    code, _, err = typed(f"hydra.run.dir={folder}", *SMALL, "preset=smoke")
    assert code == 2
    assert err.startswith(f"duograd: {folder} already holds a run: go on with it (duograd resume")
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_files_of_somebody_elses_are_never_overwritten(typed, tmp_path):
    (tmp_path / "summary.json").write_text("mine")
    code, _, err = typed("hydra.run.dir=.", *SMALL, "preset=smoke")
    assert (code, err.count("\n")) == (2, 1)
    assert "summary.json would be overwritten: move it, or choose another folder, hydra.run.dir=DIR" in err
    assert (tmp_path / "summary.json").read_text() == "mine"


def test_a_finished_run_has_nothing_to_resume(finished, typed):
    folder, _ = finished
    assert typed("resume", str(folder)) == (
        0,
        f"{folder} is finished already, with 3 epochs: to train it longer, duograd resume {folder} epochs=N\n",
        "",
    )


def test_a_users_error_is_one_line_and_leaves_nothing(tmp_path):
    done = duograd("task=autoencoder", "seed=x", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "duograd: seed=x: expected a whole number\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["modle=x"], "duograd: unknown key 'modle': did you mean 'model'?"),
        (["task=autoencodr"], "duograd: unknown task 'autoencodr': did you mean 'autoencoder'?"),
        (["data=patches_h5", "data.path=gone.h5"], "duograd: data.path="),
        (["backend=torch", "device=cuda"], "duograd: device=cuda: torch sees no CUDA device here"),
        (["hydra.run.dir=/proc/no/such"], "duograd: /proc/no"),
        (["resume", "nowhere"], "duograd: no folder nowhere"),
        (["resume", "."], "duograd: . is not the folder of a run"),
        (["gradcheck", "model.hiden_size=3"], "duograd: unknown key 'model.hiden_size': did you mean"),
    ],
)
def test_errors_at_the_command_line(arguments, message, typed):
    code, _, err = typed(*arguments)
    assert code == 2
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_multirun_may_come_last(typed):
    code, out, _ = typed("preset=smoke", *SMALL, "loss.lambda=0,1e-3", "sweep.dry_run=true", "-m")
    assert (code, [line.split()[1] for line in out.splitlines()[1:3]]) == (0, ["0", "0.001"])


def test_the_same_seed_is_the_same_bytes_whatever_the_threads(tmp_path, typed):
    """In single precision, where the order of sums would show."""
    overrides = [*SMALL, "tracking=none", "epochs=5", "dtype=float32", "data.count=3000"]
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for threads, folder in enumerate(folders, start=1):
        with threadpool_limits(threads):
            assert typed(f"hydra.run.dir={folder}", *overrides, f"backend.threads={threads}")[0] == 0
    for name in SAME_BYTES:
        assert len({(folder / name).read_bytes() for folder in folders}) == 1


def test_gradcheck_passes_and_fails_by_its_threshold(typed):
    code, out, _ = typed("gradcheck", "task=autoencoder", "data.count=100")
    assert (code, "passed" in out, out.count("encoder.weight")) == (0, True, 1)
    assert typed("gradcheck", "data.count=100", "--threshold=1e-18")[0] == 1


def test_gradcheck_needs_no_download(typed):
    code, out, _ = typed("gradcheck", "task=activity", "model.hidden_size=3", "data.count=12", "data.window=5")
    assert (code, "passed" in out) == (0, True)
