"""Files of a folder are input: whatever is wrong with them is one line, and one folder's fault is not the others'."""

import json
import random
import shutil
import signal
from dataclasses import replace

import pytest
from builders import After, tiny
from report_builders import run_folder, sweep_folder
from tracking_run import begin, end, train

from duograd.runner.commands import compare, resume, sync
from duograd.runner.context import alone
from duograd.runner.errors import UserError
from duograd.runner.run import run
from duograd.runner.store import files, lines
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.tracking import address

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's use of SQLAlchemy
FILES = (
    "config.yaml",
    "run.json",
    "summary.json",
    "clock.json",
    "metrics.jsonl",
    "steps.jsonl",
    "checkpoint.safetensors",
    "best.safetensors",
)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A run that can be resumed."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    context = replace(alone(), interruption=After(4))
    assert run(tiny("epochs=2", "batch_size=20"), RunFolder(folder), [], context) == 128 + signal.SIGINT
    return folder


def mutated(content, rng):
    """The content with something wrong in it."""
    data = bytearray(content)
    place = rng.randrange(len(data))
    match rng.randrange(5):
        case 0:
            return bytes(data[:place])
        case 1:
            data[place] ^= 1 << rng.randrange(8)
        case 2:
            del data[place : place + rng.randrange(1, 40)]
        case 3:
            data[place:place] = rng.choice(
                [b"\x00", b"\xff", b"{", b"${", b'"', b"null", b"1e999", b"[[[[", b"\n", b"&a *a"]
            )
        case 4:
            data[place:] = rng.randbytes(20)
    return bytes(data)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_file_is_one_line_or_does_no_harm(name, seed, interrupted, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(interrupted, folder)
    rng = random.Random(f"{name} {seed}")
    (folder / name).write_bytes(mutated((folder / name).read_bytes(), rng))
    said = resumed(folder)
    assert len(said.splitlines()) <= 1
    assert "a fault of duograd's own" not in capsys.readouterr().out


def resumed(folder):
    """What resume says against it; nothing where it goes on to an end."""
    try:
        assert resume.main([str(folder)]) in (0, 1)
    except UserError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
        ("config.yaml", "seed: ${"),
        ("config.yaml", "seed: ${oc.env:NOT_THERE}\n"),
        ("run.json", "{}"),
        ("run.json", '{"started": "yesterday"}'),
        ("summary.json", '{"status": "WELL"}'),
        ("summary.json", '{"status": 3}'),
        ("summary.json", "[" * 100_000),
    ],
)
def test_what_no_run_writes_is_named(name, content, interrupted, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(interrupted, folder)
    (folder / name).write_text(content)
    with pytest.raises(UserError, match=name.replace(".", r"\.")) as caught:
        resume.main([str(folder)])
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "name", ["metrics.jsonl", "run.log", ".lock", "stop", "summary.json", "checkpoint.safetensors"]
)
@pytest.mark.parametrize("what", ["a folder", "a link"])
def test_what_stands_for_a_file_is_refused_and_nothing_written(name, what, interrupted, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(interrupted, folder)
    (folder / name).unlink(missing_ok=True)
    (folder / name).mkdir() if what == "a folder" else (folder / name).symlink_to(tmp_path / "elsewhere")
    before = sorted(folder.iterdir())
    with pytest.raises(UserError, match=rf"{name} is {what}: put the run's file back, or remove it"):
        resume.main([str(folder)])
    assert sorted(folder.iterdir()) == before
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("text", ["[/b] enough", "r\xe9sum\xe9", "two\nlines", ""])
def test_a_stop_file_may_say_anything(text, tmp_path, monkeypatch, capsys):
    folder = RunFolder(tmp_path / "run")
    saved = files.write_bytes

    def stop(path, content, *before):
        saved(path, content, *before)
        folder.stop.write_text(text, encoding="latin-1")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_bytes", stop)
        assert run(tiny("epochs=3", "checkpoint.every_seconds=0"), folder, []) == 0
    assert folder.read_summary()["epochs"] < 3
    assert "stopped by" in capsys.readouterr().out


def test_leftovers_of_a_killed_write_go_with_the_next_resume(interrupted, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(interrupted, folder)
    for name in (f".{'0af' * 10}12.tmp", f"figures/.{'0' * 32}.tmp", ".mine.tmp"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert resume.main([str(folder)]) == 0
    assert [path.name for path in folder.rglob("*.tmp")] == [".mine.tmp"]


def test_an_epoch_of_a_hundred_billion_costs_nothing(tmp_path):
    folder = run_folder(tmp_path / "a")
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 100000000000, "train/loss": 1.0}\n{"epoch": true}\n{"epoch": -1}\n')
    assert [epoch for epoch, _ in lines.epochs(lines.read(folder / "metrics.jsonl"))] == [1, 2, 3]


def test_one_damaged_folder_does_not_end_compare(tmp_path, capsys):
    folders = [run_folder(tmp_path / name, {"seed": seed}) for seed, name in enumerate(("a", "b", "c"))]
    (folders[1] / "summary.json").write_text('{"status": "FINISHED", "metrics": [1]}')
    assert compare.main([*map(str, folders), "--out", str(tmp_path / "out")]) == 0
    assert "summary.json is damaged (metrics: " in " ".join(capsys.readouterr().out.split())


def test_one_damaged_folder_does_not_end_sync(tmp_path, capsys):
    uri = address.default_uri(tmp_path)
    folders = [begin(tmp_path / "outputs" / name, uri, name) for name in ("a", "b", "c")]
    for folder in folders:
        train(folder, 1, 5)
        end(folder)
    (folders[0] / "config.yaml").write_text("seed: ${")
    (folders[1] / "run.json").write_text("{}")
    assert sync.main([str(tmp_path / "outputs")]) == 1
    said = capsys.readouterr()
    assert "c: 5 epochs" in said.out
    assert len(said.err.splitlines()) == 2


@pytest.mark.parametrize("folder", ["../../x", "/tmp/x", "", "a/../../b"])
def test_a_foreign_sweep_stays_in_its_folder(folder, tmp_path):
    path = sweep_folder(tmp_path / "sweep", {"seed": [0]})
    content = json.loads((path / "sweep.json").read_text())
    content["jobs"][0]["folder"] = folder
    (path / "sweep.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="lies outside the sweep's folder"):
        SweepRecord.load(path)


def test_a_sweep_goes_on_past_a_job_whose_files_are_damaged(tmp_path):
    job = JobRecord(0, [], "job", "", "job", "job/run.log", status="RUNNING")
    (run_folder(tmp_path / "job") / "summary.json").write_text("{")
    job.refresh(tmp_path)
    assert job.status == "FAILED"
    assert "summary.json is damaged" in job.error
