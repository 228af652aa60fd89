"""Completion as each shell does it, typed in a real one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from patience import HANGING_S

from duograd.runner.commands import completion

LINES = {
    "duograd res": ["resume"],
    "duograd resume outputs/ae": ["outputs/ae/first", "outputs/ae/sweep"],
    "duograd compare outputs/ae/s": ["outputs/ae/sweep"],
    "duograd model=l": ["lstm", "lstm_dense1"],
    "duograd --config-dir mine model=lst": ["lstm", "lstm_dense1", "lstm_mine"],
    "duograd -m --config-dir=mine model=lstm_mine model.hi": ["model.hidden_size="],
    "duograd task=activity model.re": ["model.recurrent_init=", "model.reset_after="],
    "duograd seed=1 task=activity loss.la": ["loss.label_smoothing=", "loss.lambda="],
    "duograd gradcheck batch": ["batch_size="],
    "duograd -m hydra.launcher.st": ["hydra.launcher.stack="],
    "duograd completion ": ["bash", "fish", "zsh"],
    "duograd nonsense=( model.h": [],
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with runs, and a model of a user's own."""
    for run in ("first/run.json", "sweep/sweep.json", "sweep/job/run.json"):
        (tmp_path / "outputs" / "ae" / run).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "outputs" / "ae" / run).touch()
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "lstm_mine.yaml").write_text("defaults: [lstm, _self_]\nname: lstm_mine\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", LINES)
def test_what_may_follow_a_line(line, here, capsys):
    assert completion.main(["ask", "bash", line]) == 0
    said = capsys.readouterr()
    assert (said.out.split(), said.err) == (LINES[line], "")


def test_bash_completes_and_prints_nothing_else(here):
    lines = ["duograd resume outputs/ae", "duograd model=l", "duograd nonsense=( model.h"]
    (here / "ask").write_text(
        f'duograd() {{ "{sys.executable}" -m duograd "$@"; }}\neval "$(duograd completion bash)"\ncompopt() {{ :; }}\n'
        'for COMP_LINE; do COMP_POINT=${#COMP_LINE}; _duograd; echo "${COMPREPLY[@]}"; done\n'
    )
    done = subprocess.run(["bash", "ask", *lines], cwd=here, capture_output=True, text=True, timeout=HANGING_S)
    assert ([line.split() for line in done.stdout.splitlines()], done.stderr) == ([LINES[line] for line in lines], "")


def test_fish_completes_and_falls_back_on_files(tmp_path):
    lines = [
        "duograd task=activity model=ls",
        "duograd gradcheck my_",
        "duograd data.path=my_",
        "duograd nonsense=1 model.h",
    ]
    (tmp_path / "my_layer.py").touch()
    (tmp_path / "ask").write_text(
        f'function duograd\n "{sys.executable}" -m duograd $argv\nend\nduograd completion fish | source\n'
        + "".join(f'complete -C "{line}"\n' for line in lines)
    )
    done = answer_of("fish", tmp_path)
    found = ["model=lstm", "model=lstm_dense1", "my_layer.py", "data.path=my_layer.py"]
    assert (done.stdout.split(), done.stderr) == (found, "")


def test_zsh_completes_and_falls_back_on_files(tmp_path):
    """Its functions for completions work in a terminal alone: what shows their arguments stands for them."""
    (tmp_path / "ask").write_text(
        f'duograd() {{ "{sys.executable}" -m duograd "$@"; }}\nautoload -U compinit && compinit -u -D\n'
        'eval "$(duograd completion zsh)"\n(( $+_comps[duograd] )) || print unknown\n'
        "compadd() { local space=yes; [[ $2 = -S ]] && space=no; print $space ${(P)@[-1]}; }\n"
        "compset() { print after $2; }\n_files() { print files; }\n"
        "words=(duograd task=activity x) CURRENT=3\n"
        "for PREFIX in model=ls model.hidden_s 'data.path=my'; do _duograd; done\n"
    )
    done = answer_of("zsh", tmp_path)
    shown = ["no", "yes model=lstm model=lstm_dense1", "no model.hidden_size=", "yes", "after *=", "files"]
    assert (done.stdout.splitlines(), done.stderr) == (shown, "")


def answer_of(shell: str, folder: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which(shell) is None:
        pytest.skip(f"needs the shell {shell}")
    alone = os.environ | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return subprocess.run([shell, "ask"], cwd=folder, env=alone, capture_output=True, text=True, timeout=HANGING_S)
