"""duograd compare: what can be named, and what is said where nothing can be compared."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from report_builders import ACTIVITY, run_folder, sweep_folder
from tracking_run import begin, end, train

from duograd.runner.commands.compare import main
from duograd.runner.errors import UserError
from duograd.runner.report.links import mlflow_link
from duograd.runner.report.select import select_runs
from duograd.runner.report.summary import notes
from duograd.runner.tracking.mirror import Mirror
from duograd.runner.tracking.mlflow_api import Metric, MlflowClient, Param


def test_runs_a_sweep_and_a_folder_of_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = sweep_folder(tmp_path / "all" / "sweep", {"loss.lambda": [0, 1e-3]})
    one = run_folder(tmp_path / "all" / "run", {"loss.lambda": 5.0})
    assert select_runs([str(sweep)]).title == "a sweep"
    assert select_runs([str(sweep)]).records[1].swept == {"loss.lambda": 1e-3}
    assert len(select_runs([str(tmp_path / "all")]).records) == 3
    both = select_runs([str(one), str(sweep), str(one)])
    assert len(both.records) == 3  # none twice
    assert not both.records[0].swept
    assert main([str(one), str(sweep), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "answer.html").is_file()
    assert "1e-03" in (printed := capsys.readouterr().out) or "0.001" in printed


def test_the_answer_goes_to_outputs_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_folder(tmp_path / "a")
    assert main(["a"]) == 0
    [folder] = (tmp_path / "outputs").iterdir()
    assert folder.name.startswith("compare_")


def test_comparing_leaves_the_runs_as_they_are(tmp_path: Path) -> None:
    path = run_folder(tmp_path / "run")
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    main([str(path), "--out", str(tmp_path / "out")])
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["nowhere/at/all"], r"no folder nowhere/at/all: name run folders"),
        (["nothing"], r"no folder nothing, and no MLflow database"),
        (["empty"], r"empty holds no run: name run folders"),
        (["ae", "gait"], r"different tasks cannot be compared \(1 of autoencoder, 1 of activity\)"),
        (["ae", "--out", "gait"], r"--out gait is a run: name another folder"),
        (["ae", "--out", "file"], r"--out file is a file: name another folder"),
        (["ae", "--out", "file/below"], r"file/below.*Not a directory"),
        (["unstarted"], r"unstarted has no jobs"),
    ],
)
def test_one_line_for_each_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    run_folder(tmp_path / "ae")
    run_folder(tmp_path / "gait", config=ACTIVITY)
    unstarted = sweep_folder(tmp_path / "unstarted", {"seed": [0]}) / "sweep.json"
    unstarted.write_text(json.dumps(json.loads(unstarted.read_text()) | {"jobs": []}))
    with pytest.raises(UserError, match=said) as error:
        main(names)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's use of SQLAlchemy
def test_an_experiment_in_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by its runs' ids; a folder that is gone, by the copy that MLflow keeps."""
    monkeypatch.setattr("duograd.runner.tracking.experiments.PAGE", 1)  # as many pages as there are runs
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/outputs/mlflow.db"
    paths = [begin(tmp_path / "outputs" / name, uri, name) for name in ("a", "b")]
    for path in paths:
        train(path, 1, 5)
        end(path)
        Mirror(uri).update(path, alive=False)
    found = select_runs(["autoencoder"])
    assert {record.folder for record in found.records} == set(paths)  # they began in the same moment
    link = mlflow_link(found)
    assert link
    assert link.startswith("http://127.0.0.1:5000/#/compare-runs?runs=%5B%22")
    assert link.endswith("%22%5D&experiments=%5B%221%22%5D")
    _our_own_as_anything_else(uri)
    shutil.move(paths[0], tmp_path / "elsewhere")
    copy, other = sorted(select_runs(["autoencoder"]).records, key=lambda record: str(record.identity["id"]))
    assert copy.status == "FINISHED"
    assert copy.identity["id"] == "a"
    assert "mlartifacts" in str(copy.folder)
    assert other.folder == paths[1]
    with pytest.raises(UserError, match="no folder and no MLflow experiment 'nothere'"):
        select_runs(["nothere"])
    _what_something_else_logged(uri)


def _our_own_as_anything_else(uri: str) -> None:
    """What a resume changed counts, and a sweep's own run holds runs and is none."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("autoencoder").experiment_id
    tags = {"duograd.id": "s", "sweep": "/x"}
    parent = client.create_run(experiment, tags=tags).info.run_id
    runs = {run.info.run_name: run.info.run_id for run in client.search_runs([experiment]) if run.data.params}
    first, second = (runs[f"autoencoder numpy {name}"] for name in ("a", "b"))
    client.set_tag(first, "resumed.epochs", "9")
    client.set_tag(first, "mlflow.parentRunId", parent)
    client.set_tag(second, "stopped_by", "pruned")
    found = {record.run_id: record for record in select_runs(["mlflow:autoencoder"], uri).records}
    assert {key: record.parameters["epochs"] for key, record in found.items()} == {first: 9, second: 5}
    assert (found[first].status, found[second].status) == ("FINISHED", "PRUNED")
    assert found[first].parameters["model"] == "autoencoder"
    client.set_terminated(second, "KILLED")
    killed = select_runs(["mlflow:autoencoder"], uri).failures
    assert [record.error for record in killed] == ["ended without a summary: its process was killed"]
    client.delete_run(parent)


def _what_something_else_logged(uri: str) -> None:
    """Read as MLflow's client gives it, and left as it is."""
    client = MlflowClient(uri)
    experiment = client.create_experiment("theirs")
    for depth, seed in ((18, 0), (18, 1), (34, 0), (34, 1)):
        run = client.create_run(experiment, run_name=f"depth {depth} seed {seed}").info.run_id
        params = [Param("depth", str(depth)), Param("random_state", str(seed)), Param("out", f"/x/{depth}/{seed}")]
        metrics = [Metric("val_acc", depth / 100 + seed / 50 + step / 100, 1, step) for step in (0, 1)]
        client.log_batch(run, metrics, params)
        client.set_terminated(run)
    content = Path(uri.removeprefix("sqlite:///")).read_bytes()
    ranking = {"metric": None, "rises": None, "ignored": ["out"]}
    found = select_runs(["mlflow:theirs"], uri, ranking=ranking)
    assert [(rank.group.label, len(rank.group.records), rank.mean) for rank in found.ranks] == [
        ("depth=34", 2, 0.36),
        ("depth=18", 2, 0.2),
    ]
    link = mlflow_link(found)
    assert link is not None
    assert link.endswith(f"&experiments=%5B%22{experiment}%22%5D")
    np.testing.assert_allclose(found.records[0].history["val/accuracy"], [0.18, 0.19])
    assert "out is another in each run" in notes(select_runs(["mlflow:theirs"], uri))[1]
    assert Path(uri.removeprefix("sqlite:///")).read_bytes() == content
    with pytest.raises(UserError, match="has no experiment 'nothere'"):
        select_runs(["mlflow:nothere"], uri)
    with pytest.raises(UserError, match="stands alone"):
        select_runs(["mlflow:theirs", "x"], uri)


def test_runs_that_were_not_mirrored_have_no_link(tmp_path: Path) -> None:
    assert mlflow_link(select_runs([str(run_folder(tmp_path / "run"))])) is None
