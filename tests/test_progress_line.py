"""The line of a training: what it says and when, by a clock that the test sets."""

import io
from types import SimpleNamespace

import pytest
from builders import tiny
from rich.console import Console

from duograd.runner.build import leading_metrics
from duograd.runner.compose import compose
from duograd.runner.display import metrics_table, waiting
from duograd.runner.pace import Pace, clock_text, rate_text
from duograd.runner.progress_line import PLAIN_SECONDS, ProgressLine

RECORD = {"epoch": 2, "lr": 0.1, "train/loss": 1.5, "train/cross_entropy": 1.5, "train/accuracy": 0.4, "val/loss": 1.25}
RECORD |= {"val/cross_entropy": 1.25, "val/accuracy": 0.5}
LEADING = ["val/accuracy", "train/accuracy", "val/loss", "train/cross_entropy"]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def a_training(epochs=10, batch_size=None, samples=100):
    """As far as a line looks at one."""
    plan = SimpleNamespace(epochs=epochs, batch_size=batch_size)
    data = SimpleNamespace(train=range(samples))
    zero = dict.fromkeys(("epoch", "step", "in_epoch", "train_seconds"), 0)
    return SimpleNamespace(plan=plan, data=data, ended=False, evaluating=None, pending=[], sums={}, **zero)


def line_of(training, width=80, live=False, leading=LEADING):
    """A progress line that has started, its clock, and what it printed."""
    clock, output = Clock(), io.StringIO()
    line = ProgressLine(Console(file=output, width=width, force_terminal=live), leading, clock)
    line.start(training)
    return line, clock, output


def pass_epoch(line, training, clock, seconds, record=RECORD):
    clock.now += seconds
    training.epoch += 1
    training.in_epoch = 0
    training.ended = training.epoch == training.plan.epochs
    line.epoch(training, record)


def test_it_fits_the_screen_and_says_nothing_twice():
    training = a_training(epochs=5000)
    line, clock, _ = line_of(training)
    for _ in range(1170):
        pass_epoch(line, training, clock, 0.02)
    said = line.line().plain
    assert said.startswith("epoch 1170/5000 ━╸─")
    assert said.endswith("loss 1.500  val accuracy 0.5000  50 epochs/s  1:17 left")
    assert len(said) == 80
    wide, clock, _ = line_of(training, width=200)
    wide._record = RECORD
    assert "loss 1.500  val accuracy 0.5000  train accuracy 0.4000  val loss 1.250" in wide.line().plain
    assert "cross_entropy" not in wide.line().plain  # which is the loss here
    narrow, clock, _ = line_of(training, width=40)
    narrow._record = RECORD
    assert narrow.line().plain == "epoch 1170/5000 ━━━────────── loss 1.500"


def test_batches_move_the_bar_and_a_slow_epoch_is_shown_in_tenths():
    training = a_training(epochs=4, batch_size=10)
    line, clock, _ = line_of(training)
    bars = []
    for batch in range(1, 10):
        clock.now, training.in_epoch, training.sums = 1.2 * batch, batch, {"loss": 20.0 * batch}
        bars.append(line.line().plain.count("━"))
    assert bars == sorted(bars)
    assert len(set(bars)) > 4
    assert line.line().plain.startswith("epoch 0.9/4 ━")
    assert line.line().plain.endswith("loss 2.000  12 s/epoch  0:37 left")  # known before the first epoch has ended
    pass_epoch(line, training, clock, 2.2)
    training.evaluating = "val"
    assert "evaluating" not in line.line().plain  # it may be over in no time
    clock.now += 1
    assert "val accuracy 0.5000  evaluating val  0:39 left" in line.line().plain


def test_elsewhere_it_prints_a_few_lines_a_minute_however_many_epochs_there_are():
    training = a_training(epochs=20000)
    line, clock, output = line_of(training)
    while training.epoch < 20000:
        pass_epoch(line, training, clock, 0.01)  # 200 s
    lines = output.getvalue().splitlines()
    assert len(lines) == 1 + 200 // (PLAIN_SECONDS + 0.01) + 1  # the first, every 20 s, the last
    assert lines[0] == "epoch 1/20000  loss 1.500  val accuracy 0.5000  100 epochs/s  3:20 left"
    assert lines[-1].startswith("epoch 20000/20000  loss 1.500  val accuracy 0.5000")
    assert "left" not in lines[-1]


def test_elsewhere_a_long_epoch_is_not_silent():
    training = a_training(epochs=2, batch_size=1)
    line, clock, output = line_of(training)
    for batch in range(1, 100):
        clock.now, training.in_epoch = batch, batch
        line.step(training)
    assert [text.split()[1] for text in output.getvalue().splitlines()] == ["0.2/2", "0.4/2", "0.6/2", "0.8/2"]


def test_a_resumed_run_says_where_it_goes_on():
    training = a_training(epochs=2000, batch_size=10)
    training.epoch, training.step, training.in_epoch, training.train_seconds = 1170, 11703, 3, 185.0
    line, clock, output = line_of(training)
    assert output.getvalue() == "continued from epoch 1170, 3 steps into the next, after 3 min 05 s of training\n"
    clock.now, training.in_epoch = 14, 10  # its pace is that of this session
    assert "20 s/epoch" in line.line().plain


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (None, ""),
        (0, ""),
        (123.4, "123 epochs/s"),
        (1.25, "1.2 epochs/s"),
        (0.9, "1.1 s/epoch"),
        (1 / 12, "12 s/epoch"),
        (1 / 150, "2.5 min/epoch"),
        (1 / 9000, "2.5 h/epoch"),
    ],
)
def test_a_rate_is_said_by_what_is_larger_than_one(rate, text):
    assert rate_text(rate) == text


def test_times_left_are_of_one_form():
    texts = [clock_text(seconds) for seconds in (0.2, 59.9, 185, 3725, 180000)]
    assert texts == ["0:00", "1:00", "3:05", "1:02:05", "2 d 2 h"]


def test_a_pace_forgets_the_warming_up():
    pace = Pace(0.0)
    assert pace.rate is None
    pace.mark(10.0, 1)
    assert pace.rate == pytest.approx(0.1)
    pace.mark(11.0, 2)
    pace.mark(11.1, 3)  # too soon to tell anything
    assert pace.rate == pytest.approx(1.0)


def test_metrics_stand_in_a_table_of_splits():
    output = io.StringIO()
    metrics = {name: value for name, value in RECORD.items() if "/" in name}
    Console(file=output, width=80).print(metrics_table(metrics))
    rows = [line.split() for line in output.getvalue().splitlines()]
    assert rows == [["train", "val"], ["loss,", "cross_entropy", "1.5", "1.25"], ["accuracy", "0.4", "0.5"]]


def test_a_wait_is_said_where_it_takes_long():
    output = io.StringIO()
    with waiting(Console(file=output, width=80), "drawing", silent_s=0) as say:
        say("drawing the second")
        while "…" not in output.getvalue():
            pass
    assert output.getvalue() in ("drawing …\n", "drawing the second …\n")


def test_what_the_user_watches_comes_first_then_what_is_to_rise():
    assert leading_metrics(tiny()) == ["val/loss", "train/mse", "train/l2", "train/kl"]
    activity = compose(["task=activity", "model=gru", "data=gait", "monitor=val/cross_entropy", "tracking=none"])
    assert leading_metrics(activity)[:3] == ["val/cross_entropy", "val/accuracy", "train/accuracy"]
