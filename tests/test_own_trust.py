"""The copy of a user's code in a folder: kept, known by its hash, and run only if it is the user's or trusted."""

import json

import pytest
from own_builders import CHAIN, GAIT, train, write

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


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_folder_keeps_the_code_and_resume_takes_the_copy_if_it_is_the_users_or_trusted(tmp_path, monkeypatch):
    write(tmp_path, "my_layers.py", "def twice(n):\n    return 2 * n\n")
    path = write(tmp_path, "my_net.py", CHAIN.replace("width: int = 8):", "width: int = 8):\n    width = twice(width)"))
    path.write_text("from my_layers import twice\n" + path.read_text())
    train(folder := tmp_path / "run", "model=my_net.py")
    restore(folder, trust=False)  # this process has imported it
    monkeypatch.setattr(modules, "_modules", {})  # as another has not
    config = RunFolder(folder).read_config()
    code = folder / "code" / config["model"]["hash"]
    assert {p.name for p in code.iterdir()} == {"my_net.py", "my_layers.py"}
    restore(folder, trust=False)
    write(tmp_path, "my_layers.py", "def twice(n):\n    return 3 * n\n")  # a neighbour counts
    monkeypatch.setattr(modules, "_modules", {})
    with pytest.raises(UserError, match=r"is gone or differs from its copy .* --trust"):
        restore(folder, trust=False)
    (folder / "summary.json").unlink()
    restore(folder, trust=True)
    config["epochs"] = 3
    assert resume(validate_plain(config), RunFolder(folder), alone()) == 0
    assert len(RunFolder(folder).history()["epoch"]) == 3
    (code / "my_net.py").write_text("raise SystemExit\n")
    with pytest.raises(UserError, match="is not the code that the run began with"):
        restore(folder, trust=True)


def test_the_original_is_not_believed_where_a_folder_from_elsewhere_could_have_put_it(tmp_path, monkeypatch):
    write(tmp_path, "my_net.py", CHAIN)
    train(folder := tmp_path / "run", "model=my_net.py")
    restore(folder, trust=False)  # this process has imported it
    monkeypatch.setattr(modules, "_modules", {})  # as another has not
    origins = json.loads((folder / "code" / "origins.json").read_text())
    [entry] = origins.values()
    for place in (folder / "code" / next(iter(origins)) / "my_net.py", "/proc/self/cwd/my_net.py"):
        entry["file"] = str(place)
        (folder / "code" / "origins.json").write_text(json.dumps(origins))
        with pytest.raises(UserError, match="--trust"):
            restore(folder, trust=False)


def test_nothing_lies_beside_a_copy_that_python_would_import_in_its_place(tmp_path):
    write(tmp_path, "my_layers.py", "WIDTH = 8\n")
    write(tmp_path, "my_net.py", "import my_layers\n" + CHAIN)
    train(tmp_path / "run", f"model={tmp_path}/my_net.py")
    [copy] = (tmp_path / "run" / "code").glob("*/")
    write(copy, "dateutil.py", "")
    for trust in (False, True):
        with pytest.raises(DamagedError, match=r"dateutil\.py is not of the code that the run began with"):
            restore(tmp_path / "run", trust)


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
