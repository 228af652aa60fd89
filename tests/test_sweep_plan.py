"""Which jobs a sweep has, when two are the same, and going on with one: no process, no cluster."""

import json
import signal
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from builders import tiny
from hypothesis import given
from hypothesis import strategies as st

from duograd.runner.compose import Composer, compose, initialised
from duograd.runner.errors import UserError
from duograd.runner.run import anchored, run
from duograd.runner.store import files, identity
from duograd.runner.store.folders import PRUNED, RunFolder
from duograd.runner.store.records import DIED, JobRecord, Origin, SweepRecord
from duograd.runner.sweep.naming import config_hash, differing, folder_name, names, run_name
from duograd.runner.sweep.plan import Job, draw, plan
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.records import merge, rebase


@contextmanager
def composer():
    with initialised():
        yield Composer(Origin())


@pytest.mark.parametrize(
    "overrides",
    [
        ["task=autoencoder", "model.hidden_size=7", "loss.lambda=1e-5"],
        ["task=autoencoder", "optimizer=adam", "optimizer.lr=0.5", "seed=3"],
        ["task=activity", "model=lstm", "optimizer=sgd", "preset=smoke", "epochs=2"],
        ["experiment=activity_lstm", "model.hidden_size=5"],
    ],
)
def test_a_job_is_composed_as_hydra_would(overrides):
    """Also the second with the same groups, of which Hydra sees nothing."""
    plain = compose(overrides)
    other = [*overrides[:-1], overrides[-1][:-1] + "9"]
    expected, default = compose(other), compose(overrides[:-1])
    with composer() as jobs:
        assert jobs.config(overrides) == plain
        assert jobs.config(other) == expected
        assert jobs.config(overrides[:-1]) == default  # nothing of another job's stays


def test_the_hash_sees_what_changes_a_result_and_nothing_else():
    base = tiny()
    same = ["tracking=mlflow", "tracking=none checkpoint.every_seconds=1", "backend.threads=3", "task.figures=[]"]
    for overrides in same:
        assert config_hash(tiny(*overrides.split()), Path()) == config_hash(base, Path())
    others = [
        tiny(o) for o in ("seed=1", "epochs=5", "loss.lambda=0", "optimizer.lr=0.2", "dtype=float32", "data.seed=1")
    ]
    assert len({config_hash(config, Path()) for config in (base, *others, tiny("backend=torch"))}) == 8


def test_names_are_short_and_tell_jobs_apart():
    grid = [
        ["task=autoencoder", f"seed={s}", f"data.seed={d}", f"loss.lambda={l}"]
        for s in "12"
        for d in "12"
        for l in "01"
    ]
    keys = differing(grid)
    assert keys == ["seed", "data.seed", "loss.lambda"]
    swept = [dict(override.split("=") for override in job[1:]) for job in grid]
    assert names(swept)[1] == "seed=1,data.seed=1,lambda=1"
    assert len(set(names(swept))) == 8
    assert names([{}]) == ["0"]
    assert run_name("hidden_size=50,lambda=1e-05,dense=[64,32]") == "hidden_size=50 lambda=1e-05 dense=[64,32]"


@given(st.lists(st.text(max_size=200), min_size=1, max_size=5))
def test_a_folders_name_is_one_folder_and_its_own(found):
    taken: list[str] = []
    for number, name in enumerate(found):
        folder = folder_name(name, f"{number:016x}"[::-1], taken)
        assert folder not in taken
        assert len(folder.encode()) <= 255
        assert Path(folder).name == folder
        assert not folder.startswith(".")
        taken.append(folder)


def job(name: str, **changes) -> Job:
    config = anchored(tiny(*(f"{key}={value}" for key, value in changes.items())), Path.cwd())
    return Job(name, (), dict([name.split("=", 1)]), config, config_hash(config, Path()))


def test_one_bad_job_is_named_and_stops_all():
    with composer() as jobs:
        grid = [["model.hidden_size=3"], ["model.hidden_size=-1"], ["model.hidden_size=-2"]]
        with pytest.raises(UserError, match=r"job hidden_size=-1: model\.hidden_size=-1: .* \(and 1 more of 3 jobs\)"):
            plan(jobs, grid, ["model.hidden_size"], Path("/"))


def test_equal_jobs_are_one():
    with composer() as jobs:
        found = plan(jobs, [["loss.lambda=0"], ["loss.lambda=0.0"], ["loss.lambda=1"]], ["loss.lambda"], Path("/"))
    assert [one.name for one in found] == ["lambda=0", "lambda=1"]


def test_a_draw_is_a_part_of_the_grid_in_its_order():
    grid = [[f"seed={seed}"] for seed in range(20)]
    found = draw(grid, 7, seed=3)
    assert found == [one for one in grid if one in found]
    assert len(found) == 7


def test_known_jobs_keep_number_and_folder(tmp_path):
    records: list[JobRecord] = []
    first = merge(tmp_path, [job("seed=1", seed=1), job("seed=2", seed=2)], records)
    assert list(first) == [0, 1]
    again = merge(tmp_path, [job("seed=0", seed=0), replace(job("seed=2", seed=2), name="other=2,seed=2")], records)
    assert list(again) == [2, 1]
    assert [(r.number, r.name, r.folder) for r in records] == [
        (0, "seed=1", "seed=1"),
        (1, "other=2,seed=2", "seed=2"),
        (2, "seed=0", "seed=0"),
    ]


def test_a_changed_configuration_is_told_by_its_key(tmp_path):
    records: list[JobRecord] = []
    merge(tmp_path, [job("seed=1", seed=1)], records)
    merge(tmp_path, [job("seed=1", seed=1, epochs=3)], records)
    records[0].status, records[0].error = "FAILED", "its data cannot be read"
    assert list(merge(tmp_path, [job("seed=1", seed=1)], records)) == [0]  # what never trained is in nobody's way
    assert len(records) == 1
    assert run(tiny("seed=1", "epochs=1"), RunFolder(tmp_path / "seed=1"), []) == 0
    with pytest.raises(UserError, match=r"job seed=1 was begun differently: epochs was 1, is 2 now; .* or --dir DIR"):
        merge(tmp_path, [job("seed=1", seed=1, epochs=2)], records)


def sweep_record(*jobs: JobRecord, overrides: list[str]) -> SweepRecord:
    return SweepRecord("id", "name", "autoencoder", 0.0, "duograd -m", "/", overrides, {}, None, None, jobs=list(jobs))


def test_a_job_that_is_wanted_no_more_keeps_what_it_shared():
    record = sweep_record(
        JobRecord(0, ["seed=1"], "", "", "", ""), JobRecord(1, ["seed=2"], "", "", "", ""), overrides=["a=1", "b=2"]
    )
    rebase(record, ["b=2"], numbers=[1])
    assert [one.overrides for one in record.jobs] == [["a=1", "seed=1"], ["seed=2"]]
    assert record.overrides == ["b=2"]


def test_sweep_json_comes_back_as_it_was(tmp_path):
    record = sweep_record(
        JobRecord(0, ["optimizer=adam", "loss.lambda=1e-05"], "n", "h", "f", "f/run.log", best={"value": 1.0}),
        JobRecord(1, ["optimizer=sgd", "loss.lambda=0"], "m", "i", "g", "g/run.log"),
        overrides=["epochs=3"],
    )
    record.save(tmp_path)
    assert SweepRecord.load(tmp_path) == record
    assert json.loads((tmp_path / "sweep.json").read_text())["swept"] == {
        "optimizer": ["adam", "sgd"],
        "loss.lambda": [1e-05, 0],
    }
    (tmp_path / "sweep.json").write_text("{}")
    with pytest.raises(UserError, match="is not what a sweep writes"):
        SweepRecord.load(tmp_path)


@pytest.mark.parametrize("folder", ["../../x", "/tmp/x", "..", ".", ""])
def test_a_foreign_sweep_json_leads_nowhere_else(folder, tmp_path):
    sweep_record(JobRecord(0, ["seed=1"], "n", "h", folder, "run.log"), overrides=[]).save(tmp_path)
    with pytest.raises(UserError, match="is not what a sweep writes") as refusal:
        SweepRecord.load(tmp_path)
    assert repr(folder) in str(refusal.value)


def test_a_job_is_what_its_folder_says(tmp_path):
    record = JobRecord(0, [], "job", "", "job", "job/run.log", status="RUNNING")
    record.refresh(tmp_path)
    assert record.status == "PENDING"
    folder = RunFolder(tmp_path / "job")
    assert run(tiny("epochs=2"), folder, []) == 0
    record.refresh(tmp_path)
    assert (record.status, record.epochs, record.error) == ("FINISHED", 2, None)
    summary = files.read_json(folder.summary)
    folder.summary.write_text(json.dumps(summary | {"stopped_by": PRUNED}))
    record.refresh(tmp_path)
    assert record.status == "PRUNED"
    folder.summary.unlink()
    record.refresh(tmp_path)
    assert (record.status, record.error) == ("KILLED", DIED)
    folder.summary.write_text(json.dumps(summary | {"drawing": True}))
    record.refresh(tmp_path)
    assert record.status == "KILLED"  # while it looked for the facts of its figures


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"", None), (b'{"epoch": 1}', None), (b'{"epoch": 1}\n', 1), (b'{"epoch": 1}\n{"epoch": 2}\n{"ep', 2)],
)
def test_progress_is_the_last_whole_line(content, expected, tmp_path):
    folder = RunFolder(tmp_path)
    folder.metrics.write_bytes(content)
    assert Progress(folder, epochs=40).line.get("epoch") == expected


def test_time_left_goes_by_the_pace_of_this_session(tmp_path):
    folder, now = RunFolder(tmp_path), [100.0]
    folder.metrics.write_text('{"epoch": 10, "val/loss": 0.5}\n')
    progress = Progress(folder, 40, ["val/accuracy", "val/loss"], clock=lambda: now[0])
    assert progress.seconds_left is None
    folder.metrics.write_text('{"epoch": 10, "val/loss": 0.5}\n{"epoch": 20, "val/loss": 0.75}\n')
    now[0] = 105.0
    progress.look()
    assert progress.seconds_left == pytest.approx(10.0)
    assert progress.best == ("val/loss", 0.5)  # the best so far, not the last


def test_an_end_file_is_a_jobs_ctrl_c(tmp_path):
    """And the run goes on from there to the same bytes, with other hooks or the same."""
    from duograd.runner.context import RunContext
    from duograd.runner.hooks.interruption import EndFile
    from duograd.runner.run import resume
    from duograd.runner.sweep.worker import quiet

    config, end = tiny("epochs=5"), tmp_path / "end"
    calm, ended = RunFolder(tmp_path / "calm"), RunFolder(tmp_path / "ended")
    assert run(config, calm, []) == 0
    end.touch()
    context = RunContext(quiet(), EndFile(end), drawn=False)
    assert run(config, ended, [], context) == 128 + signal.SIGINT
    assert files.read_json(ended.summary)["status"] == "KILLED"
    assert not ended.figures.exists()
    end.unlink()
    assert resume(config, ended) == 0
    assert ended.checkpoint.read_bytes() == calm.checkpoint.read_bytes()


def test_a_job_of_a_preset_can_be_run_again_alone():
    config = compose(["task=autoencoder"])
    assert (
        identity.command(config, ["sweep=report_grid", "seed=1"]) == "duograd sweep=report_grid seed=1 hydra.mode=RUN"
    )
    assert identity.command(config, []) == "duograd task=autoencoder"


def test_a_home_folder_is_expanded_before_paths_are_made_absolute(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    config = anchored(tiny("data=photos", "data.root='~/my photos'"), Path("/here"))
    assert config.data.root == str(tmp_path / "my photos")
