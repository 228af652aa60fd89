"""`import duograd`: runs, sweeps and comparisons from Python, and what they leave of the process that asked."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from patience import HANGING_S
from rich.console import Console

import duograd
from duograd.runner.api import here
from duograd.runner.api.values import axes, overrides
from duograd.runner.context import RunContext
from duograd.runner.progress_line import ProgressLine
from duograd.runner.store.overrides import as_typed

SMALL = ("task=table", "preset=smoke", "tracking=none", {"model.dense": [4]})


def script(text: str, folder: Path, *python: str) -> subprocess.CompletedProcess[str]:
    """A Python process of its own, as somebody's file."""
    path = folder / "script.py"
    path.write_text(textwrap.dedent(text))
    return subprocess.run(
        [sys.executable, *python, str(path)], cwd=folder, capture_output=True, text=True, timeout=HANGING_S
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> duograd.Run:
    """A finished run on wine."""
    folder = tmp_path_factory.mktemp("python") / "a run (1)"
    return duograd.run(*SMALL, seed=1, folder=folder, progress=False)


@pytest.mark.parametrize(
    "value", [None, True, 3, 1e-5, "adam", "1", "null", "", "it's (here), a=b", "~/x", [64, 32], [], {"a": [1, None]}]
)
def test_values_reach_hydra_as_they_are(value):
    [text] = overrides([], {"key": value})
    typed = as_typed(text.partition("=")[2])
    if isinstance(value, dict):
        assert text == "key={a:[1,null]}"
    else:
        assert typed == (tuple(value) if isinstance(value, list) else value)


def test_numpy_paths_and_text_are_values_too():
    texts = overrides(["task=cnn"], {"seed": np.int64(3), "optimizer.lr": np.float32(0.5), "data.root": Path("a b")})
    assert texts == ["task=cnn", "seed=3", "optimizer.lr=0.5", "data.root='a b'"]


def test_lists_are_axes_and_intervals_a_space():
    typed = [{"model.dense": [[8], []], "seed": range(2), "epochs": 3}]
    assert axes(typed, {"loss.lambda": np.array([0.0, 0.5])}) == [
        "model.dense=choice([8],[])",
        "seed=choice(0,1)",
        "epochs=3",
        "loss.lambda=choice(0.0,0.5)",
    ]
    wide = {"a": duograd.interval(1e-4, 1, log=True), "b": duograd.interval(10, 200)}
    assert axes([wide], {}) == ["a=tag(log,interval(0.0001,1))", "b=int(interval(10,200))"]


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (lambda: duograd.run("task=tabel"), "unknown task 'tabel': did you mean 'table'?"),
        (lambda: duograd.run("task=table", seeds=1), "unknown key 'seeds': did you mean 'seed'?"),
        (lambda: duograd.run("task=table", seed=object()), "a configuration holds numbers"),
        (lambda: duograd.run("task=table", "seed=1,2"), "use duograd.sweep"),
        (lambda: duograd.run(3), "give overrides as text"),
        (lambda: duograd.run("table"), "did you mean 'data=table'?"),
        (lambda: duograd.run("task=table", seed=-1), "seed=-1"),
        (lambda: duograd.sweep("task=table", seed=[]), "seed has no values"),
        (lambda: duograd.sweep("task=table", {"modle": ["mlp"]}), "unknown key 'modle'"),
        (lambda: duograd.load("nowhere"), "nowhere is not the folder of a run"),
        (lambda: duograd.compare("nowhere"), "no folder nowhere"),
        (lambda: duograd.compare(), "nothing to compare: give runs"),
    ],
)
def test_a_fault_is_a_value_error_of_one_line_and_leaves_nothing(fault, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(duograd.UserError) as caught:
        fault()
    assert isinstance(caught.value, ValueError)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_taken_is_gone_on_from_in_pythons_words(run, tmp_path):
    with pytest.raises(
        duograd.UserError, match=r"already holds a run: .*duograd\.load\('.*'\)\.resume\(\), or .*folder=DIR"
    ):
        duograd.run(*SMALL, folder=run.folder, progress=False)
    (tmp_path / "sweep.json").touch()
    with pytest.raises(
        duograd.UserError, match=r"already holds a sweep: .*duograd\.Sweep\('.*'\)\.resume\(\), or .*folder=DIR"
    ):
        duograd.sweep(*SMALL, seed=[1, 2], folder=tmp_path)


def test_a_run_tells_of_itself(run):
    assert run.status == run.summary["status"] == "FINISHED"
    assert run.config["model"]["dense"] == [4]
    assert list(run.metrics.index) == [1, 2, 3]
    assert run.metrics["train/loss"].iloc[-1] < run.metrics["train/loss"].iloc[0]
    assert run.figures["loss_curve"]._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(duograd.UserError, match="did you mean 'loss_curve'"):
        run.figures["loss_cuve"]
    page = run._repr_html_()
    assert "test/accuracy" in page
    assert page.count("<img") == 2
    assert duograd.load(run.folder).resume().metrics.equals(run.metrics)  # it is over: nothing happens


def test_it_predicts_samples_in_the_units_of_their_source(run):
    from sklearn.datasets import load_wine

    wine = load_wine()
    classes, scores = run.predict(wine.data), run.scores(wine.data)
    assert set(classes) <= set(wine.target_names)
    assert scores.shape == (178, 3)
    assert np.array_equal(np.array(run.data.classes)[scores.argmax(axis=1)], classes)
    held_out = run.data.test
    seen = (run.data.prepare(wine.data)[:, None] == 0).any()  # what training sees is on another scale
    assert not seen
    right = np.mean(run.predict(wine.data) == wine.target_names[wine.target])
    assert (
        right
        == pytest.approx(
            np.average(
                [run.summary["metrics"][f"{split}/accuracy"] for split in run.data.splits],
                weights=[len(split) for split in run.data.splits.values()],
            )
        )
        or run.summary["best"]["epoch"] != 3
    )
    assert held_out is not None
    with pytest.raises(duograd.UserError, match=r"shape \(2, 5\): give numbers \(N, 13\)"):
        run.predict(np.zeros((2, 5)))
    with pytest.raises(duograd.UserError, match="weights='first': expected 'best' or 'last'"):
        run.predict(np.zeros((2, 13)), weights="first")
    for odd in (np.nan, 1e308):  # the second is infinite on the scale of training
        with pytest.raises(
            duograd.UserError, match=r"x has 1 value that is NaN or infinite as float32, the first at \[1, 4\]"
        ):
            run.predict(np.where(np.arange(26).reshape(2, 13) == 17, odd, wine.data[:2]))


def test_hydra_and_signals_are_the_callers(tmp_path):
    from hydra import initialize
    from hydra.core.global_hydra import GlobalHydra
    from hydra.version import base_at_least

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    environment = os.environ.copy()
    with initialize(config_path=None, version_base="1.2"):
        callers = GlobalHydra.instance().hydra
        duograd.run(*SMALL, folder=tmp_path / "inside", progress=False)
        assert GlobalHydra.instance().hydra is callers
        assert not base_at_least("1.3")
    assert not GlobalHydra.instance().is_initialized()
    assert handlers == {number: signal.getsignal(number) for number in handlers}
    assert {key for key in os.environ if key not in environment} <= {"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"}


def test_threads_train_side_by_side(tmp_path):
    done: list[duograd.Run] = []

    def train(seed: int) -> None:
        done.append(duograd.run(*SMALL, seed=seed, folder=tmp_path / str(seed), progress=False))

    threads = [threading.Thread(target=train, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {run.config["seed"] for run in done} == {0, 1}


def test_a_run_that_diverges_raises_with_its_folder(tmp_path):
    with (
        pytest.raises(duograd.RunError, match=r"FAILED .*loss became .*diverged\)") as caught,
        np.errstate(all="ignore"),
    ):
        duograd.run(
            *SMALL,
            "data.set=diabetes",
            {"loss": "squared_error", "optimizer": "sgd", "optimizer.lr": 1e30},
            folder=tmp_path / "diverged",
            progress=False,
        )
    assert duograd.load(caught.value.folder).status == "FAILED"


def test_ctrl_c_saves_is_heard_and_gone_on_from(tmp_path, monkeypatch):
    """What a notebook's stop button does: SIGINT in the midst of training."""

    class Stopping(ProgressLine):
        def epoch(self, training, record):
            if training.epoch == 2:
                os.kill(os.getpid(), signal.SIGINT)

    stopping = RunContext(Console(quiet=True), here.interruption(), progress=Stopping)
    with monkeypatch.context() as patched:
        patched.setattr(here, "context", lambda progress: stopping)
        with pytest.raises(KeyboardInterrupt):
            duograd.run(*SMALL, epochs=4, folder=tmp_path / "stopped", progress=False)
    run = duograd.load(tmp_path / "stopped")
    assert (run.status, list(run.metrics.index)) == ("KILLED", [1, 2])
    assert run.resume(progress=False).status == "FINISHED"
    assert list(run.metrics.index) == [1, 2, 3, 4]


def test_a_script_without_a_guard(tmp_path):
    """A sweep's workers start processes; none of them runs the script again."""
    done = script(
        """
        import sys
        import duograd

        with open("began", "a") as file:
            file.write("x")
        heavy = {"numpy", "torch", "hydra", "pydantic", "rich", "pandas"} & set(sys.modules)
        assert not heavy, heavy
        small = ["task=table", "preset=smoke", "tracking=none"]
        sweep = duograd.sweep(*small, {"model.dense": [[4], [8]]}, optimizer="adam", n_workers=2)
        table = sweep.table
        assert list(table.columns[:2]) == ["model.dense", "status"], table.columns
        assert set(table.status) == {"FINISHED"} and len(table) == len(sweep) == 2
        assert sweep.best.summary["best"]["value"] == table["best val/loss"].min()
        assert "mlp" in sweep._repr_html_()
        both = duograd.compare(sweep, folder="answer")
        assert both.best.folder == sweep.best.folder and "curves" in " ".join(both.figures)
        small += ["sweep.answer=false", "hydra.launcher.n_workers=1"]
        space = {"optimizer.lr": duograd.interval(1e-3, 1e-1, log=True)}
        found = duograd.search(*small, space, n_trials=2, progress=False)
        assert len(found) == 2 and found.table["optimizer.lr"].between(1e-3, 1e-1).all()
        values = ["data.set=diabetes", "loss=squared_error", "optimizer=sgd"]
        try:
            duograd.sweep(*small, *values, {"optimizer.lr": [1e30]})
        except duograd.RunError as error:
            print(error)
        """,
        tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "began").read_text() == "x"
    assert "[2/2]" in done.stdout
    assert "all 1 runs failed, the first: the loss became" in done.stdout
    assert "\x1b" not in done.stdout
