"""A run that trains longer ends with the bytes of one that was asked for all epochs at once."""

from pathlib import Path

import pytest
from builders import tiny

from duograd.runner import session as runs
from duograd.runner.commands.resume import main
from duograd.runner.compose import compose
from duograd.runner.config import RunConfig
from duograd.runner.errors import UserError
from duograd.runner.longer import with_values
from duograd.runner.run import run
from duograd.runner.store import files
from duograd.runner.store.folders import RunFolder

BYTES = ("checkpoint.safetensors", "best.safetensors", "metrics.jsonl", "steps.jsonl", "config.yaml")
SMALL = ("preset=smoke", "tracking=none", "task.figures=[]")
SHORT, LONG = 2, 5  # epochs: the second is no multiple, and a frame stands after other epochs
PATCHES = ["data.count=60", "data.size=4", "model.hidden_size=5"]
WINDOWS = ["data.count=36", "data.test_count=24", "data.window=9", "model.hidden_size=5"]
IMAGES = ["data.count=20", "data.test_count=10", "data.size=8", "batch_size=10", "model.dense=[4]"]
TASKS = {
    "autoencoder": [*PATCHES, "schedule.name=exponential"],
    "autoencoder torch": [*PATCHES, "backend=torch"],
    "autoencoder lbfgs": [*PATCHES, "optimizer=lbfgs"],
    "activity": [*WINDOWS, "model=lstm_dense1", "model.dropout=0.3", "optimizer=adam"],
    "activity transformer": [
        *WINDOWS[:3],
        "model=transformer",
        "model.hidden_size=8",
        "model.heads=2",
        "model.feed_forward=6",
    ],
    "cnn": [*IMAGES, "model=challenge_dropout", "model.channels=[4,4,4]", "data.augment.flip=true"],
    "cnn torch": [
        *IMAGES,
        "model=challenge_dropout",
        "model.channels=[4,4,4]",
        "backend=torch",
        "optimizer=vanilla_adam",
    ],
    "table": ["optimizer=momentum", "early_stopping.patience=9", "evaluate_test_each_epoch=true"],
}


def trained(folder: Path, config: RunConfig, epochs: int, *overrides: str) -> RunFolder:
    typed = [f"epochs={epochs}", *overrides]
    assert run(config.model_copy(update={"epochs": epochs}), RunFolder(folder), typed) == 0
    return RunFolder(folder)


def contents(folder: RunFolder) -> dict[str, bytes]:
    paths = [*(folder.path / name for name in BYTES), *folder.frames.rglob("*.png")]
    return {str(path.relative_to(folder.path)): path.read_bytes() for path in paths if path.exists()}


@pytest.mark.parametrize("name", TASKS)
def test_it_ends_as_if_it_had_been_asked_for_all_at_once(name: str, tmp_path: Path) -> None:
    config = compose([f"task={name.split()[0]}", *SMALL, *TASKS[name]])
    whole, folder = trained(tmp_path / "whole", config, LONG), trained(tmp_path / "run", config, SHORT)
    identity = folder.read_identity()
    picture = folder.frames / "a person's own.png"
    picture.parent.mkdir(exist_ok=True)
    picture.touch()
    assert main([str(folder.path), f"epochs={LONG}"]) == 0
    picture.unlink()  # it was left alone
    assert contents(folder) == contents(whole)
    assert files.read_json(folder.summary)["metrics"] == files.read_json(whole.summary)["metrics"]
    longer, at_once = folder.read_identity(), whole.read_identity()
    assert longer["id"] == identity["id"]
    for key in ("command", "overrides", "name"):
        assert longer[key] == at_once[key]


def test_what_depends_on_the_total_is_refused_with_the_way_to_start_anew(tmp_path: Path) -> None:
    folder = trained(tmp_path / "run", tiny("schedule.name=cosine"), SHORT, "schedule.name=cosine")
    before = contents(folder)
    with pytest.raises(UserError, match=r"schedule\.name=cosine is spread .*: duograd epochs=5 schedule.name=cosine$"):
        main([str(folder.path), f"epochs={LONG}"])
    for typed, message in (("1", "less than the 2"), ("0", "greater"), ("2.5", "a whole number"), ("yes", "a whole")):
        with pytest.raises(UserError, match=message):
            main([str(folder.path), f"epochs={typed}"])
    with pytest.raises(UserError, match="seed=3: a run is resumed as it began"):
        main([str(folder.path), "seed=3"])
    assert contents(folder) == before


def test_one_that_stopped_by_itself_would_again_one_that_was_stopped_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    impatient = tiny("early_stopping.patience=1", "early_stopping.min_delta=9")
    stopped = trained(tmp_path / "stopped", impatient, 9)
    with pytest.raises(UserError, match=r"it ended after epoch 2 \(early stopping: .*\), and would again; start anew"):
        main([str(stopped.path), "epochs=20"])
    folder, whole = RunFolder(tmp_path / "run"), trained(tmp_path / "whole", tiny(), LONG)
    with monkeypatch.context() as patch:
        patch.setattr(runs.StopFile, "epoch", lambda hook, training, record: setattr(training, "stop_reason", "a wish"))
        trained(folder.path, tiny(), LONG - 1)
    assert files.read_json(folder.summary)["epochs"] == 1
    assert main([str(folder.path), f"epochs={LONG}"]) == 0
    assert contents(folder) == contents(whole)
    capsys.readouterr()
    written = folder.summary.stat().st_mtime_ns
    for more in ([], [f"epochs={LONG}"]):
        assert main([str(folder.path), *more]) == 0
        assert capsys.readouterr().out.startswith(f"{folder.path} is finished already, with {LONG} epochs: to train")
    assert folder.summary.stat().st_mtime_ns == written


def test_what_was_typed_keeps_its_place() -> None:
    typed = ["duograd", "-m", "+epochs=3", "seed=1", "epochs=4"]
    assert with_values(typed, ["epochs=9"]) == ["duograd", "-m", "epochs=9", "seed=1"]
    assert with_values(["seed=1"], ["epochs=9"]) == ["seed=1", "epochs=9"]
