"""The copy of a user's code in a folder: kept, known by its hash, and run only if it is the user's or trusted."""

import shutil

import pytest
from own_builders import CHAIN, GAIT, train, write

import duograd
from duograd.runner.commands import rerun
from duograd.runner.commands import resume as resume_command
from duograd.runner.compose import compose
from duograd.runner.context import alone
from duograd.runner.errors import UserError
from duograd.runner.own import modules
from duograd.runner.own.modules import standing_in
from duograd.runner.run import resume
from duograd.runner.store.code import restore
from duograd.runner.store.files import DamagedError
from duograd.runner.store.folders import RunFolder
from duograd.runner.sweep.naming import config_hash
from duograd.runner.validate import validate_plain

AGAIN = "duograd resume RUN --trust"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_folder_keeps_the_code_and_resume_takes_the_copy_if_it_is_the_users_or_trusted(tmp_path, monkeypatch):
    write(tmp_path, "my_layers.py", "def twice(n):\n    return 2 * n\n")
    path = write(tmp_path, "my_net.py", CHAIN.replace("width: int = 8):", "width: int = 8):\n    width = twice(width)"))
    path.write_text("from my_layers import twice\n" + path.read_text())
    train(folder := tmp_path / "run", "model=my_net.py")
    restore(folder, False, AGAIN)  # this process has imported it
    monkeypatch.setattr(modules, "_modules", {})  # as another has not
    config = RunFolder(folder).read_config()
    code = folder / "code" / config["model"]["hash"]
    assert {p.name for p in code.iterdir()} == {"my_net.py", "my_layers.py"}
    restore(folder, False, AGAIN)
    write(tmp_path, "my_layers.py", "def twice(n):\n    return 3 * n\n")  # a neighbour counts
    monkeypatch.setattr(modules, "_modules", {})
    with pytest.raises(UserError, match=r"is gone or differs from its copy .* --trust"):
        restore(folder, False, AGAIN)
    (folder / "summary.json").unlink()
    restore(folder, True, AGAIN)
    config["epochs"] = 3
    assert resume(validate_plain(config), RunFolder(folder), alone()) == 0
    assert len(RunFolder(folder).history()["epoch"]) == 3
    (code / "my_net.py").write_text("raise SystemExit\n")
    with pytest.raises(UserError, match="is not the code that the run began with"):
        restore(folder, True, AGAIN)


def test_a_folder_and_the_file_that_it_names_are_nobodys_own_until_this_user_has_run_that_code(tmp_path, monkeypatch):
    """As an archive is, unpacked where the one who made it knew: the file beside the run says what the copy says."""
    write(tmp_path, "evil.py", f"{CHAIN}\nopen('ran', 'w').close()\n")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
        train(folder := tmp_path / "run", "model=evil.py")
    monkeypatch.setattr(modules, "_modules", {})  # this process is another user's
    (tmp_path / "ran").unlink()
    commands = {"resume": resume_command, "rerun": rerun}
    (folder / "summary.json").unlink()
    for name, command in commands.items():
        with pytest.raises(UserError, match=f"code that you have not run before, .*duograd {name} .* --trust"):
            command.main([str(folder)])
    with pytest.raises(UserError, match=r"duograd\.load\(.*, trust=True\)"):
        duograd.load(folder).predict([])
    assert not (tmp_path / "ran").exists()
    restore(folder, True, AGAIN)
    assert (tmp_path / "ran").exists()
    monkeypatch.setattr(modules, "_modules", {})
    restore(folder, False, AGAIN)  # known by its content from now on
    shutil.rmtree(folder / "code")
    for command in commands.values():
        monkeypatch.setattr(modules, "_modules", {})
        with pytest.raises(UserError, match=r"has no copy of .*evil\.py as it was when the run began .*: put it back"):
            command.main([str(folder), "--trust"])


def test_nothing_lies_beside_a_copy_that_python_would_import_in_its_place(tmp_path):
    write(tmp_path, "my_layers.py", "WIDTH = 8\n")
    write(tmp_path, "my_net.py", "import my_layers\n" + CHAIN)
    train(tmp_path / "run", f"model={tmp_path}/my_net.py")
    [copy] = (tmp_path / "run" / "code").glob("*/")
    write(copy, "dateutil.py", "")
    for trust in (False, True):
        with pytest.raises(DamagedError, match=r"dateutil\.py is not of the code that the run began with"):
            restore(tmp_path / "run", trust, AGAIN)


def test_what_a_folder_names_without_a_copy_is_imported_once_it_is_trusted(tmp_path):
    path = write(tmp_path, "my_net.py", f"{CHAIN}\nRATES = {{}}\n")
    with standing_in({}, trust=False), pytest.raises(UserError, match=r"has no copy in the folder .* add --trust"):
        compose([*GAIT, f"model={path}"])
    with standing_in({}, trust=True):
        assert compose([*GAIT, f"model={path}"]).model.name == "my_net"


def test_a_job_is_another_when_its_code_is_and_the_same_wherever_that_lies(tmp_path):
    def digest(name: str) -> str:
        return config_hash(compose([*GAIT, f"model={name}", "model.name=x"]), tmp_path)

    write(tmp_path, "a.py", CHAIN)
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "elsewhere", "a.py", CHAIN)
    assert (first := digest("a.py")) == digest("elsewhere/a.py")
    write(tmp_path, "a.py", CHAIN + "# changed\n")
    assert digest("a.py") != first
