"""examples/own as a newcomer meets them: `duograd new` writes one, and what its first lines say is typed."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import exit_codes
from own_builders import EXAMPLES
from patience import HANGING_S

from duograd.runner.commands.new import KINDS, commands, main, written
from duograd.runner.errors import UserError
from duograd.runner.gradcheck.process import check_file

SMALL = ["data.count=60", "data.test_count=60", "epochs=1", "tracking=none", "task.figures=[]"]
FEW = ["epochs=1", "tracking=none", "task.figures=[]"]  # of data that has no data.count
SWEEP = ["sweep.answer=false", "hydra.launcher.n_workers=1"]
FILES = {**{kind: f"my_{kind}.py" for kind in KINDS}, "protocol": "protocol.py", "module": "module.py"}


def lines(kind: str, file: str) -> list[list[str]]:
    """The commands of an example, small; --watch would never end."""
    typed = [shlex.split(line, comments=True)[1:] for line in commands(written(kind, file), Path(file))]
    return [small(arguments) for arguments in typed if "--watch" not in arguments]


def small(arguments: list[str]) -> list[str]:
    if arguments[0] == "gradcheck":
        return arguments
    data = any(text.startswith("data.path=") for text in arguments)
    planned = data or any(text.startswith("optimizer=") for text in arguments)  # two of four: workers take seconds
    sweep = (["sweep.dry_run=true"] if planned else SWEEP) if arguments[0] == "-m" else []
    return [*arguments, *(FEW if data else SMALL), *sweep]


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """What each command of each example ended with, by the command; all in one process, but for the sweeps' workers."""
    here = tmp_path_factory.mktemp("newcomer")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        for kind in KINDS:
            assert main([kind, f"my_{kind}"]) == 0
    for kind in ("protocol", "module"):
        (here / f"{kind}.py").write_text(written(kind, f"{kind}.py"))
    subprocess.run([sys.executable, "my_data.py", "walk.csv"], cwd=here, check=True, timeout=HANGING_S)
    typed = [arguments for kind, file in FILES.items() for arguments in lines(kind, file)]
    codes, done = exit_codes(typed, here)
    return {shlex.join(arguments): code for arguments, code in zip(typed, codes, strict=True)}, done


def test_every_command_of_every_example_works(ends):
    codes, done = ends
    assert {command: code for command, code in codes.items() if code != 0} == {}, done.stdout + done.stderr
    assert sum("-m" in command.split() for command in codes) == 4, "net, data, loss and optimizer have a sweep to try"


@pytest.mark.parametrize("kind", ["net", "layer"])
def test_a_layer_brings_its_gradient_test(kind, tmp_path):
    checks, errors = check_file(EXAMPLES / f"{kind}.py", None, None, 120.0)
    assert not errors
    assert [check.ok for check in checks] == [True]


def test_new_overwrites_nothing_and_names_what_python_can_import(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["net", "my_net.py"]) == 0
    assert "duograd task=activity preset=smoke model=my_net.py model.width=64" in capsys.readouterr().out
    (tmp_path / "a b").mkdir()
    assert main(["net", "a b/my_net"]) == 0
    assert "duograd task=activity preset=smoke 'model=a b/my_net.py' model.width=64" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"my_net.py is there already"):
        main(["net", "my_net"])
    with pytest.raises(UserError, match=r"my-net.py: Python cannot import"):
        main(["net", "my-net"])
    with pytest.raises(UserError, match=r"my.net.py: Python cannot import"):
        main(["net", "my.net"])
    with pytest.raises(UserError, match=r"class.py: Python cannot import"):
        main(["net", "class"])
    with pytest.raises(UserError, match=r"numpy.py would stand in for Python's module"):
        main(["net", "numpy"])
