"""What people type: paths of any kind, Hydra's flags anywhere, help; each mistake is one line of bounded length."""

import io
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from patience import HANGING_S
from PIL import Image
from rich.console import Console
from sweep_builders import refused_in_one_line, typing

from duograd.runner.arguments import readable
from duograd.runner.compose import compose_tree
from duograd.runner.display import is_live, waiting
from duograd.runner.errors import LONGEST, UserError, one_line
from duograd.runner.groups import groups
from duograd.runner.subcommands import COMMANDS


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """What `duograd ARGUMENTS` does in this process, in an empty directory of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    with typing(monkeypatch, capsys) as run:
        yield run


MISTAKES = [
    (["compar"], "unknown command 'compar': did you mean 'compare'? known: bench, compare,"),
    (["seed=1", "compare"], "'compare' comes first: duograd compare ..."),
    (["help", "resum"], "unknown command 'resum': did you mean 'resume'?"),
    (["compare"], "compare needs RUN | SWEEP | EXPERIMENT: see duograd compare --help"),
    (
        ["resume", "x", "--n-workers", "many"],
        "argument --n-workers: invalid int value: 'many': see duograd resume --help",
    ),
    (["-m"], "nothing to sweep: give a key several values, such as -m model.hidden_size=10,50,100"),
    (["-m", "epochs=3"], "nothing to sweep: "),
    (["model.hidden_size=10,50"], "model.hidden_size=10,50 has several values: add -m to train once for each, or type"),
    (["seed=range(3)"], "seed=range(3) has several values: add -m to train once for each"),
    (
        ["task=autoencodr"],
        "unknown task 'autoencodr': did you mean 'autoencoder'? known: activity, autoencoder",
    ),
    (["model=3"], "unknown model '3': known: autoencoder,"),
    (["preset=1"], "unknown preset '1': known: overfit, smoke"),
    (["model=null"], "model=null: a run needs one, model=NAME: known: autoencoder,"),
    (["-m", "preset=1,smoke"], "job preset=1: unknown preset '1': known: overfit, smoke"),
    (["model=[lstm,gru]"], "model=[lstm,gru]: choose one: known: autoencoder,"),
    (["task=[cnn,activity]"], "task=[cnn,activity]: choose one: known: activity, autoencoder, cnn, table"),
    (["~model"], "~model: a run needs one, model=NAME: known: autoencoder,"),
    (["+seed=2"], "'seed' is there already: leave out the + to change it"),
    (["task.frames=[unknown]"], "unknown figure 'unknown': known: accuracy_curve,"),
    (["task.figures=[los_curve]"], "unknown figure 'los_curve': did you mean 'loss_curve'?"),
    (["seed=${nowhere}"], "seed: Interpolation key 'nowhere' not found"),
    (["seed=${epochs}", "epochs=${seed}"], "seed: Recursive interpolation detected"),
    (["epochs=${oc.env:NOPE}"], "epochs: KeyError raised while resolving interpolation"),
    (["hydra.run.dir=${nowhere}"], "hydra.run.dir: Interpolation key 'nowhere' not found"),
    (
        ["model.hidden_size=intervall(4,8)"],
        "cannot read 'model.hidden_size=intervall(4,8)': unknown function 'intervall': did",
    ),
    (["-m", "seed=range(a)"], "cannot read 'seed=range(a)': mismatch type argument start"),
    (["seed=1=2"], "cannot read 'seed=1=2': unexpected '='; text is quoted: \"seed='1=2'\""),
    (["seed=(1"], "cannot read 'seed=(1': unexpected '('; text is quoted: \"seed='(1'\""),
    (["seed=[1"], "cannot read 'seed=[1': unexpected '[1'; text is quoted:"),
    (
        ["model.init=ö"],
        "cannot read 'model.init=ö': 'ö' at character 12 has no meaning there; text is quoted: \"model.init='ö'\"",
    ),
    (["model.init=a\nb"], r"cannot read 'model.init=a\nb': '\n' at character 13 has no meaning there"),
    (["model.init='\x1b[31mred'"], r"model.init=\x1b[31mred: expected "),
    (["model.init=" + "x" * 10_000], "model.init=xxx"),
    (["data=photos", "data.root=" + "x" * 10_000], "/"),
    ([""], "cannot read '': expected key=value"),
    (["=1"], "cannot read '=1': expected key=value"),
    (["+x"], "cannot read '+x': expected key=value"),
    (["hydra/sweeper=0"], "Hydra cannot use hydra/sweeper=0 (ValueError: "),
    (["hydra.verbose=0"], "Hydra cannot use hydra.verbose=0 (AssertionError"),
    (["-m", "--cfg", "job", "seed=1,2"], "--multirun and --cfg do not go together: leave out --cfg"),
    (["--resolve"], "--resolve fills in values of what --cfg prints: add --cfg job"),
    (["--config-name", "-m"], "--config-name needs a value"),
    (["--nope"], "unknown option '--nope'"),
    (["--cfg"], "--cfg needs a value: job, hydra, all"),
    (["--cfg", "jobs"], "--cfg jobs: expected job, hydra, all"),
    (["--info", "seeds"], "unknown command 'seeds'"),
    (["--package", "model"], "--package picks a part of what --cfg prints: add --cfg job"),
    (["--config-path", "conf"], "--config-path is not supported: --config-dir DIR adds"),
    (["--config-dir", "nowhere"], "Additional config directory '"),
    (["--config-name", "nowhere"], "Cannot find primary config 'nowhere'."),
    (["--experimental-rerun", "job.pickle"], "--experimental-rerun is not supported: 'duograd resume RUN' goes on"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(a)[:40] for a, _ in MISTAKES])
def test_a_mistake_is_one_line(arguments, message, typed, tmp_path):
    refused_in_one_line(result := typed(*arguments), message, tmp_path)
    assert len(result[2]) <= LONGEST + len("duograd: \n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "defaults: [config, _self_]\nepochs:\t2\n",
            "mine.yaml, line 2: found character '\\t' that cannot start any token",
        ),
        ("epochs: 1\nepochs: 2\n", "mine.yaml, line 2: found duplicate key epochs: correct it"),
        ("x: !!python/object/apply:os.abort []\n", "mine.yaml, line 1: could not determine a constructor for the tag"),
        ("\udcff\n", "a configuration of yours is no text in UTF-8: save it again"),
        ("defaults: [mine, _self_]\n", "a configuration of yours includes itself: leave it out of its own defaults"),
        ("", "the configuration has no seed: begin its file with defaults: [config, _self_]"),
    ],
)
def test_a_fault_of_a_configuration_of_ones_own_is_one_line(content, message, typed, tmp_path):
    (tmp_path / "own").mkdir()
    file = tmp_path / "own" / "mine.yaml"
    file.write_text(content, errors="surrogateescape")
    code, out, err = typed("--config-dir", "own", "--config-name", "mine", "seed=1")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert [path.name for path in tmp_path.rglob("*")] == ["own", "mine.yaml"]


def test_a_line_is_bounded_in_its_middle():
    assert one_line("short\tand\x00clear") == r"short\tand\x00clear"
    line = one_line("begin " + "x" * 10_000 + " end")
    assert (len(line), line[:7], line[-5:]) == (LONGEST, "begin x", "x end")


PLACES = [
    "ö",
    "猫",
    "(2020)",
    "HW#3",
    "it's",
    "a=b",
    "[y]",
    "R&D",
    "two words",
    "50%",
    'a "b" (c)',
    "2020",
    "1e3",
    "true",
    "{x}",
]


@pytest.mark.parametrize("key", ["data.root", "hydra.run.dir", "tracking.uri"])
@pytest.mark.parametrize("place", [*PLACES, "a,b"])
def test_a_path_may_have_any_name(place, key):
    """Typed plainly; a comma alone has to be quoted, as the line says that refuses it."""
    choice = ["data=photos", "tracking=mlflow"]
    override = f"{key}={place}"
    if "," in place:
        with pytest.raises(UserError) as caught:
            compose_tree([*choice, override])
        [override] = shlex.split(str(caught.value).rpartition("one, ")[2])
    tree = compose_tree([*choice, override, "hydra.mode=RUN"])
    if not key.startswith("hydra"):
        assert tree[key.split(".")[0]][key.split(".")[1]] == place


def test_paths_are_quoted_only_where_they_must(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    for override, same in {
        "data.root=~/photos": "data.root=/home/me/photos",
        "data.root=~/my photos": "data.root='/home/me/my photos'",
        "data.root=plain/a-b.c": "data.root=plain/a-b.c",
        "data.root='quoted (1)'": "data.root='quoted (1)'",
        "data.root=null": "data.root=null",
        "data.root=a (1),b": "data.root='a (1)',b",
        "data.root=choice(a,b)": "data.root=choice(a,b)",
        "hydra.run.dir=runs (1)/${now:%H:%M}": "hydra.run.dir='runs (1)/${now:%H:%M}'",
        "hydra.run.dir=runs/${seed}": "hydra.run.dir=runs/${seed}",
        r"data.root=back\\slash": r"data.root=back\\slash",
        "model.init=(x)": "model.init=(x)",
        "seed": "seed",
    }.items():
        assert readable(override) == same


def test_a_run_goes_to_a_folder_of_any_name(typed, tmp_path):
    small = ["preset=smoke", "epochs=1", "data.count=60", "data.size=4", "tracking=none", "task.figures=[loss_curve]"]
    code, _, err = typed("hydra.run.dir=HW#3 (ö)/it's", *small)
    assert (code, err) == (0, "")
    assert (tmp_path / "HW#3 (ö)" / "it's" / "summary.json").exists()


def test_hydras_chdir_changes_no_path(typed, tmp_path):
    (tmp_path / "photos").mkdir()
    Image.effect_noise((64, 64), 50).save(tmp_path / "photos" / "noise.png")
    small = ["data=photos", "data.root=photos", "data.count=60", "data.size=4", "epochs=1", "tracking=none"]
    assert typed(*small, "task.figures=[]", "hydra.job.chdir=true", "hydra.run.dir=run")[0] == 0
    assert (tmp_path / "run" / "summary.json").exists()


@pytest.mark.parametrize(
    "arguments", [["--cfg", "job"], ["-c", "job", "--resolve"], ["--cfg=job"], ["--package", "model", "--cfg", "job"]]
)
def test_flags_stand_anywhere(arguments, typed):
    before = typed(*arguments, "seed=7", "model.hidden_size=3")
    assert before[0] == 0
    assert "hidden_size: 3" in before[1]
    assert typed("seed=7", "model.hidden_size=3", *arguments) == before


def test_help_fits_a_screen_and_names_every_command(typed):
    for arguments in ([], ["--help"], ["-h"], ["help"]):
        code, out, err = typed(*arguments)
        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert len(lines) <= 23
        assert max(map(len, lines)) < 80
        assert all(re.search(rf"^  duograd {name}\b", out, re.MULTILINE) for name in COMMANDS)
        assert all(f" {group}: " in out for group in groups())


def test_help_all_has_every_option_and_key(typed):
    _, out, _ = typed("--help", "all")
    assert "model: autoencoder, challenge, challenge_dropout, conv_conv_pool, convnet, convnet_5x5_3x3, gru," in out
    assert "hidden_size: 64" in out
    lines = {line.strip() for line in out.splitlines()}
    assert "batch_size: null                # null: the full batch" in lines
    assert any(re.fullmatch(r"init: report +# report: the course report's draw, .*", line) for line in lines)
    _, out, _ = typed("task=activity", "model=lstm", "--help")
    assert re.search(r"^ +cell: lstm +# rnn \| lstm \| gru$", out, re.MULTILINE)  # a word of the YAML it starts from
    tree = yaml.safe_load(out.partition("what they are:\n")[2].rpartition("\n\n")[0])
    assert (tree["model"]["cell"], tree["optimizer"]["lr"]) == ("lstm", 2e-3)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_help_ends_in_an_example(name, typed):
    code, out, _ = typed("help", name)
    assert code == 0
    assert typed(name, "--help") == (0, out, "")
    example = " ".join(out.split()).rpartition("Example: ")[2]
    assert example.startswith(f"duograd {name}")
    import_module(f"duograd.runner.commands.{name}")


def elsewhere(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """In a process of its own: what Hydra tells of itself stays switched on, and a terminal is a process's."""
    command = [sys.executable, "-m", "duograd", *arguments]
    return subprocess.run(command, cwd=tmp_path, env=os.environ | environment, capture_output=True, timeout=HANGING_S)


def test_hydra_tells_of_itself(tmp_path):
    done = elsewhere(tmp_path, "seed=7", "--info", "searchpath")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"pkg://duograd.conf" in done.stdout


@pytest.mark.parametrize("environment", [{"FORCE_COLOR": "1"}, {"TERM": "dumb"}])
def test_only_a_terminal_that_can_is_drawn_over(environment, monkeypatch):
    """Not a file that is to hold colours, nor a terminal without a cursor."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    console = Console(file=io.StringIO(), force_terminal=True)
    with waiting(console, "for nothing"):
        assert not is_live(console)
    assert console.file.getvalue() == ""


def test_an_ascii_terminal_gets_what_it_can_show(tmp_path):
    small = ["preset=smoke", "epochs=1", "data.count=60", "tracking=none", "task.figures=[]", "hydra.run.dir=run"]
    done = elsewhere(tmp_path, *small, PYTHONIOENCODING="ascii", TERM="dumb")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "unknown command 'train': a run needs none, duograd model=gru"),
        (["sweep", "model=gru"], "unknown command 'sweep': a sweep is -m, duograd -m model.hidden_size=10,50"),
        (["activity"], "unknown command 'activity': did you mean 'task=activity'?"),
        (["epochs", "=", "10"], "a setting has no spaces around its =: epochs=10"),
        (["--epochs", "10"], "unknown option '--epochs': a setting has no dashes, epochs=10"),
        (["--batch-size=5"], "unknown option '--batch-size=5': a setting has no dashes, batch_size=5"),
        (["--hlep"], "unknown option '--hlep': did you mean '--help'?"),
        (["learning_rate=0.1"], "unknown key 'learning_rate': did you mean 'optimizer.lr'?"),
        (["model.lr=0.1"], "unknown key 'model.lr': did you mean 'optimizer.lr'?"),
        (["hidden=64"], "unknown key 'hidden': did you mean 'model.hidden_size'?"),
        (
            ["data.set=digits"],
            "unknown key 'data.set': it is of data=sklearn; known: count, fold, folds, name, ",
        ),
        (
            ["data.path=t.csv"],
            "unknown key 'data.path': it is of data=activity_h5, arrays, patches_h5, table; known: count",
        ),
        (["data=t.csv"], "unknown data 't.csv': a file of that kind is read by data=table data.path=t.csv\n"),
        (["resume"], "resume needs DIR: see duograd resume --help\n"),
        (["model=LSTM"], "unknown model 'LSTM': did you mean 'lstm'?"),
        (["loss=MSE"], "unknown loss 'MSE': did you mean 'squared_error'?"),
        (["model=gru,lstm"], "model=gru,lstm has several values: add -m to train once for each\n"),
    ],
)
def test_what_another_program_would_take_is_told_as_it_is_typed_here(words, message, typed):
    code, _, err = typed(*words)
    assert code == 2
    assert err.startswith(f"duograd: {message}")
