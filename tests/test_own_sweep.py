"""Own code in a sweep of real processes: its copy is what workers and resume use, whatever becomes of the file."""

import shutil
import sys

import pytest
from own_builders import ALWAYS, CHAIN, GAIT, write
from sweep_builders import done, record, resume, statuses

from duograd.runner.own import modules
from duograd.runner.report.records import read_sweep
from duograd.runner.report.restore import MissingError, Restorer


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A sweep over one of our models and the widths of a user's."""
    here = tmp_path_factory.mktemp("own")
    write(here, "my_net.py", CHAIN)
    typed = ["model=rnn,my_net.py", "model.width=3,4", "hydra.sweep.dir=grid", "hydra.launcher.n_workers=1"]
    process = done([sys.executable, "-m", "duograd", "-m", *GAIT, *ALWAYS, *typed, "sweep.answer=false"], here)
    assert process.returncode == 0, process.stdout + process.stderr
    return here, process


def test_a_key_is_swept_where_there_is_one(finished):
    here, process = finished
    assert "model.width is swept where there is one: model=my_net.py" in process.stdout
    assert set(statuses(here / "grid")) == {"model=rnn", "model=my_net.py,width=3", "model=my_net.py,width=4"}


def test_a_key_of_one_value_is_set_where_there_is_one(finished):
    here, _ = finished
    typed = ["model=rnn,my_net.py", "model.width=choice(3)", "hydra.sweep.dir=plan", "sweep.dry_run=true"]
    plan = done([sys.executable, "-m", "duograd", "-m", *GAIT, *ALWAYS, *typed], here)
    assert plan.returncode == 0, plan.stderr
    assert "model.width is set where there is one: model=my_net.py" in plan.stdout
    assert "2 jobs, 2 to run" in plan.stdout


def test_the_sweep_and_each_run_of_it_keep_the_code(finished):
    here, _ = finished
    [code] = [path for path in (here / "grid" / "code").iterdir() if path.is_dir()]
    assert (code / "my_net.py").read_text() == CHAIN
    for job in record(here / "grid")["jobs"]:
        kept = here / "grid" / job["folder"] / "code" / code.name / "my_net.py"
        assert kept.exists() == ("my_net" in job["name"])


def test_a_comparison_imports_no_copy(finished, monkeypatch):
    monkeypatch.setattr(modules, "_modules", {})  # whatever other tests have imported
    here, _ = finished
    own = next(run for run in read_sweep(here / "grid")[1] if "my_net" in run.name)
    with pytest.raises(MissingError, match="has own code, which a comparison does not import"):
        Restorer().engine(own, best=True)


def test_resume_goes_on_with_the_copy_once_it_is_trusted(finished):
    here, _ = finished
    job = next(job for job in record(here / "grid")["jobs"] if job["name"].endswith("width=3"))
    best = here / "grid" / job["folder"] / "best.safetensors"
    before = best.read_bytes()
    shutil.rmtree(best.parent)
    shutil.copytree(here / "grid", here / "elsewhere", ignore=lambda *_: ["code"])
    stranger = done(resume(here / "elsewhere"), here)
    assert (stranger.returncode, stranger.stderr.count("\n")) == (2, 1)
    assert "my_net.py has no copy" in stranger.stderr
    write(here, "my_net.py", CHAIN.replace("relu,\n", ""))  # another version: neither mixed in, nor asked for
    refused = done(resume(here / "grid"), here)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--trust" in refused.stderr
    assert not best.exists()
    process = done(resume(here / "grid", "--trust"), here)
    assert process.returncode == 0, process.stdout + process.stderr
    assert best.read_bytes() == before
