"""`duograd reproduce` as a command: what it refuses, says, begins and goes on with."""

import json
import re
import sys

import pytest
from patience import wait_until
from report_builders import sweep_folder
from sweep_builders import done, left_behind, started

from duograd.data.errors import DataError
from duograd.runner.commands.reproduce import main as reproduce
from duograd.runner.errors import UserError
from duograd.runner.reproduce.study import studies
from duograd.runner.reproduce.sweeps import Command, Commands
from duograd.runner.reproduce.there import points_left
from duograd.runner.sweep.worker import DataCache


def test_an_unknown_study_is_refused():
    with pytest.raises(UserError, match="no study 'rnn_dept': did you mean 'rnn_depth'"):
        studies(["rnn_dept"])


def test_a_file_in_the_place_of_a_folder_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "file").touch()
    for typed in (["--dir", f"{tmp_path}/file"], ["--out", f"{tmp_path}/file/page", "--dir", f"{tmp_path}/there"]):
        with pytest.raises(UserError, match="file is a file: name a folder"):
            reproduce(["--quick", "autoencoder_adam", *typed])


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--patches", "# Words", "--patches: .*here cannot be read as HDF5"),
        ("--activity", "# Words", "--activity: .*here cannot be read as HDF5"),
        ("--images", "# Words", "--images: .*here cannot be read as a zip archive"),
        ("--images", None, "--images: .*here holds no images"),
    ],
)
def test_a_file_that_is_not_of_its_kind_is_refused_before_anything_runs(option, content, said, tmp_path):
    here = tmp_path / "here"
    here.mkdir() if content is None else here.write_text(content)
    with pytest.raises(UserError, match=said):
        reproduce(["--quick", "autoencoder", option, str(here), "--dir", str(tmp_path / "sweeps")])
    assert not (tmp_path / "sweeps").exists()


def test_a_page_keeps_what_is_there_and_says_of_how_many_seeds(tmp_path, capsys):
    shared = ["data=patches_h5", 'data.path="/far/away/it\'s.h5"', "data.count=1000", "epochs=60"]
    for name, seeds, statuses in (("autoencoder_adam", 3, {}), ("autoencoder", 1, {"job0": "FAILED"})):
        path = sweep_folder(tmp_path / name, {"seed": range(seeds)}, **statuses) / "sweep.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"overrides": shared}))
    assert reproduce(["overfit", "--page-only", "--dir", str(tmp_path)]) == 0
    assert "on the page as well, from the runs in" in capsys.readouterr().out
    page = (tmp_path / "page" / "README.md").read_text()
    titles = {name: studies([name])[name].title for name in ("overfit", "autoencoder_adam", "autoencoder")}
    assert [title in page for title in titles.values()] == [True, True, False]  # nothing of that one is finished
    assert """'data.path="it'"'"'s.h5"'""" in page  # as it was run, and named as a page may
    assert reproduce(["autoencoder_adam", "--page-only", "--dir", str(tmp_path), "--seeds", "2"]) == 0
    assert "3 seeds are there, and all of them count: --seeds 2 takes none away" in capsys.readouterr().out


def test_runs_that_are_finished_are_not_left_of_a_study(tmp_path):
    study = studies(["errata_autoencoder"])["errata_autoencoder"]
    gradients = study.sweep["gradient"]
    folder = sweep_folder(tmp_path / "sweep", {"gradient": gradients, "seed": [1500]}, job3="KILLED")
    assert points_left(study, folder, seeds=1) == [["gradient=row_2", "seed=1500"]]
    more = [[f"gradient={gradient}", "seed=1501"] for gradient in gradients]
    assert [point for point in points_left(study, folder, seeds=2) if point[1] == "seed=1501"] == more
    assert len(points_left(study, tmp_path / "nowhere", seeds=1)) == len(gradients)


def test_an_estimate_says_how_long_each_study_takes_and_all_that_follow(tmp_path, capsys):
    names = ["autoencoder", "autoencoder_adam"]
    assert reproduce([*names, "--quick", "--estimate", "--dir", str(tmp_path / "sweeps")]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^2 sweeps to make: about \d", printed, re.MULTILINE)
    assert re.search(r"^\[1/2\] autoencoder: .* \(about .*; .* with what follows\)$", printed, re.MULTILINE)
    assert not (tmp_path / "sweeps").exists()


def test_a_study_that_cannot_be_made_is_refused_before_any_is(tmp_path, monkeypatch):
    def unreachable(*_: object) -> None:
        raise DataError("no network")

    monkeypatch.setattr(DataCache, "load", unreachable)
    with pytest.raises(UserError, match="study challenge: no network; --offline needs neither"):
        reproduce(["challenge", "--dir", str(tmp_path / "sweeps")])
    assert not (tmp_path / "sweeps").exists()


def test_sweeps_side_by_side_each_say_theirs_and_have_their_code(capfd):
    wrong = Command("[2/2] wrong", ["model=nothing"])
    assert list(Commands(2).codes([Command("[1/2] right", ["--version"]), wrong])) == [0, 2]
    printed = capfd.readouterr().out
    assert re.search(r"^\[1/2\] right\nduograd \d", printed, re.MULTILINE)
    assert re.search(r"^\[2/2\] wrong\nduograd: .*nothing", printed, re.MULTILINE)


def test_a_signal_ends_the_studies_that_run_side_by_side_and_begins_no_more(tmp_path):
    names = ["autoencoder", "autoencoder_adam", "overfit"]
    begun = started([sys.executable, "-m", "duograd", "reproduce", "--quick", *names, "--dir", "all"], tmp_path)
    folders = [tmp_path / "all" / name for name in names]
    wait_until(lambda: all((folder / "sweep.json").exists() for folder in folders[:2]), begun)
    begun.terminate()
    printed, _ = begun.communicate()
    assert begun.returncode == 143, printed
    assert [f"{name}:" in printed for name in names] == [True, True, False]
    assert not folders[2].exists()
    assert not left_behind(begun.pid)


@pytest.fixture
def made(tmp_path):
    """A study that was made, at the second try: the command, and the summary of its one run."""
    folder = tmp_path / "it's, (ü) = $1"  # all that Hydra's grammar has a meaning for
    command = [sys.executable, "-m", "duograd", "reproduce", "--quick", "autoencoder_adam", "--dir", folder.name]
    begun = started(command, tmp_path)
    assert begun.stdout is not None
    begun.stdout.readline()  # which study comes first
    begun.kill()
    begun.communicate()
    wait_until(lambda: not left_behind(begun.pid))
    assert not list(folder.rglob("summary.json"))  # its sweep has not gone on without it
    first = done(command, tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    runs = list(folder.glob("autoencoder_adam/*/summary.json"))
    assert len(runs) == 1
    page = (folder / "page" / "README.md").read_text()
    assert "1 published number: 0 agree, 0 are not to be told apart, 1 differ" in page
    assert "duograd -m task=autoencoder backend=torch optimizer=adam data=photos" in page
    return command, runs[0]


def test_a_study_is_made(made):
    assert json.loads(made[1].read_text())["status"] == "FINISHED"


@pytest.mark.slow
def test_what_is_made_is_not_made_again_as_seeds_are_added(made, tmp_path):
    command, summary = made
    written = summary.stat().st_mtime_ns
    more = done([*command, "--seeds", "2"], tmp_path)
    assert more.returncode == 0, more.stdout + more.stderr
    assert summary.stat().st_mtime_ns == written
    assert len(list(summary.parents[1].glob("*/summary.json"))) == 2


@pytest.mark.slow
def test_the_whole_report_is_made_quickly(tmp_path):
    made = done([sys.executable, "-m", "duograd", "reproduce", "--quick"], tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    page = (tmp_path / "outputs/reproduce_quick/page/README.md").read_text()
    assert " 0 were not run." in page
