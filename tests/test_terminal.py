"""What stands on a person's screen, from the start of a command to its end, compared as text."""

import re

import pytest
from screen import on_screen

SMALL = ["task=activity", "model=rnn_dense2", "data=gait", "data.count=240", "data.window=30", "batch_size=4"]
SMALL += ["tracking=none", "task.figures=[loss_curve]", "hydra.run.dir=run"]
LINE = re.compile(
    r"epoch [\d.]+/6 [━╸─]{6,40}( loss \S+)?(  val accuracy \S+)?(  evaluating val)?"
    r"(  \S+ (epochs/s|s/epoch))?(  [\d:]+ left)?"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return on_screen([*SMALL, "epochs=6"], (80, 24), tmp_path_factory.mktemp("here"))


def test_a_run_fits_eighty_columns(run):
    assert run.code == 0
    lines = run.lines("epoch ")
    assert len(lines) >= 2  # at its start and at its end
    assert all(LINE.fullmatch(line) for line in lines), lines
    assert any("loss" in line and "val accuracy" in line for line in lines)
    assert not any("epoch" in line and "left" in line for line in run.last)  # it is gone at the end


def test_something_is_on_the_screen_at_once(run):
    assert run.screens[0][0] == "starting …"  # before what takes long is imported


def test_what_is_waited_for_is_said_with_how_to_skip_it(run):
    waits = {line.lstrip("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ") for screen in run.screens for line in screen}
    assert "loading data=gait …" in waits
    assert "building rnn_dense2 in numpy" in waits
    assert "evaluating test after the last update (Ctrl-C: later, by duograd resume)" in waits
    assert "drawing loss_curve (Ctrl-C leaves out the rest)" in waits


def test_the_end_of_a_run_is_a_table_of_splits(run):
    [head] = [number for number, line in enumerate(run.last) if line.split() == ["train", "val", "test"]]
    assert run.last[head + 1].startswith("loss, cross_entropy  ")
    assert run.last[head + 2].startswith("accuracy  ")
    assert run.last[0].startswith("rnn_dense2 numpy count=240")
    assert all(len(line) <= 80 for line in run.last)


def test_a_terminal_without_a_cursor_gets_plain_lines(tmp_path):
    run = on_screen([*SMALL, "epochs=3", "task.figures=[]"], (80, 24), tmp_path, TERM="dumb")
    assert run.code == 0
    assert [line.partition("  ")[0] for line in run.lines("epoch ")] == ["epoch 1/3", "epoch 3/3"]
    assert run.last[0] == "starting …"
    assert not any(sign in line for screen in run.screens for line in screen for sign in "━⠋")


def test_a_sweep_keeps_to_a_wide_screen_and_is_gone_when_it_is_over(tmp_path):
    small = ["task=autoencoder", "data.count=200", "data.size=4", "epochs=200", "tracking=none", "sweep.answer=false"]
    sweep = on_screen(["-m", *small, "seed=1,2", "hydra.sweep.dir=it"], (200, 50), tmp_path)
    assert sweep.code == 0
    assert sweep.lines("job  seed  state     epoch")
    assert any(re.match(r"best so far: train/loss \S+, seed=[12]$", line) for line in sweep.lines("best so far"))
    assert re.fullmatch(r"2 of 2 jobs over, 0 running, [\d:]+ so far", sweep.lines("2 of 2 jobs over")[-1])
    assert sweep.last[0].startswith("sweep of 2 jobs; everything goes to ")
    assert any("starting the workers" in line for screen in sweep.screens for line in screen)
