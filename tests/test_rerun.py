"""A run is done again from its folder, and what is not as it was is named: the epoch, the metric, the version."""

import json
import shutil
import signal
import subprocess
from dataclasses import replace

import pytest
from builders import After, tiny

from duograd.runner.commands import rerun
from duograd.runner.context import alone
from duograd.runner.errors import UserError
from duograd.runner.run import run
from duograd.runner.store import identity, tensors
from duograd.runner.store.folders import RunFolder

BATCHES = ["batch_size=20", "optimizer=adam", "data.validation_fraction=0.2"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert run(tiny(*BATCHES), RunFolder(folder), BATCHES) == 0
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    """A copy that a test may change."""
    return RunFolder(shutil.copytree(finished, tmp_path / "run"))


def again(folder, capsys, *arguments):
    """The exit code of a rerun, and the lines of its verdict."""
    code = rerun.main([str(folder.path), *arguments])
    out = capsys.readouterr().out.splitlines()
    return code, out[next(i for i, line in enumerate(out) if line.startswith(("identical", "differs"))) :]


def change(path, **keys):
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def test_the_same_code_comes_to_the_same(folder, capsys):
    same = "identical: 4 epochs, their metrics and the weights, to the last bit"
    assert again(folder, capsys) == (0, [same])
    assert again(folder, capsys) == (0, [same])
    assert sorted(path.name for path in folder.path.parent.iterdir()) == ["run", "run-rerun", "run-rerun2"]
    for name in ("metrics.jsonl", "checkpoint.safetensors", "best.safetensors"):
        assert (folder.path / name).read_bytes() == (folder.path.with_name("run-rerun") / name).read_bytes()


def test_torch_is_given_the_threads_that_it_had(tmp_path, capsys):
    folder = RunFolder(tmp_path / "run")
    assert run(tiny("backend=torch", *BATCHES), folder, [], replace(alone(), threads=2)) == 0
    assert folder.read_identity()["threads"] == 2
    assert again(folder, capsys, "--out", str(tmp_path / "other"))[0] == 0
    assert RunFolder(tmp_path / "other").read_identity()["threads"] == 2
    assert "torch's last bits depend on threads" in rerun._reason(folder)
    change(folder.identity, stack=4)
    assert rerun._reason(folder).startswith("it trained in a stack of 4, whose")


def test_the_first_metric_that_is_another_is_named_and_what_changed_since(folder, capsys):
    rows = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    then = rows[2]["val/loss"]
    rows[2]["val/loss"] = 2 * then
    folder.metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))
    change(folder.identity, versions={"numpy": "0.1"}, git={"commit": "a" * 40})
    folder.changes.write_text("-a\n+b\n")
    code, [found, since] = again(folder, capsys)
    assert code == 1
    assert found == f"differs: epoch 3: val/loss was {2 * then}, is {then}, by 5.0e-01 of it"
    assert since.startswith("changed since: numpy 0.1 -> ")
    assert "commit aaaaaaaaaa -> " in since
    assert "what was changed since the commit (git.diff)" in since


def test_weights_that_are_others_are_named(folder, capsys):
    arrays, state = tensors.read(folder.best)
    name = next(name for name, array in arrays.items() if array.dtype.kind == "f")
    arrays[name] = arrays[name] + 2.0**-20
    tensors.write(folder.best, arrays, state)
    code, [found, *_] = again(folder, capsys)
    assert (code, found) == (1, f"differs: best.safetensors: {name} is another, by 9.5e-07 at the most")


def test_a_run_that_was_interrupted_is_compared_as_far_as_it_came(tmp_path, capsys):
    folder = RunFolder(tmp_path / "run")
    context = replace(alone(), interruption=After(7))
    assert run(tiny(*BATCHES), folder, [], context) == 128 + signal.SIGINT
    assert again(folder, capsys)[1] == ["identical: 2 epochs, their metrics as far as it came, to the last bit"]


def test_a_run_of_other_data_is_not_done_again(folder):
    change(folder.identity, digest="0" * 16)
    with pytest.raises(UserError, match="the data is not what it was when the run began; put back two photographs"):
        rerun.main([str(folder.path)])
    assert not folder.path.with_name("run-rerun").exists()


def test_what_was_not_committed_is_kept(tmp_path, monkeypatch):
    def git(*arguments):
        subprocess.run(["git", "-C", tmp_path, "-c", "user.name=me", "-c", "user.email=me@x", *arguments], check=True)

    (tmp_path / "code.py").write_text("rate = 1\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    monkeypatch.setattr(identity, "CHECKOUT", tmp_path)
    assert identity.uncommitted({"git": identity.git()}) == ""
    (tmp_path / "code.py").write_text("rate = 'http://me:secret@host'\n")
    (tmp_path / "new.py").touch()
    folder = RunFolder(tmp_path / "outputs")
    assert run(tiny("epochs=1"), folder, []) == 0
    kept = folder.changes.read_text()
    assert "-rate = 1\n+rate = 'http://me:***@host'\n" in kept
    assert "new: new.py\n" in kept
