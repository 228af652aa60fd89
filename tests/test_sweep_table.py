"""What is seen of a sweep while it goes on: as wide and as high as the screen, by a clock that the test sets."""

import io
import json
from types import SimpleNamespace

import pytest
from rich.console import Console

from duograd.runner.store.folders import RunFolder
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.standing import Standing, watched_metrics
from duograd.runner.sweep.table import PLAIN_SECONDS, View


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def a_job(number, status="PENDING", value=None, **more):
    overrides = [f"model.hidden_size={number}", "loss.lambda=1e-05", "optimizer=vanilla_adam", f"seed={number}"]
    best = None if value is None else {"metric": "val/accuracy", "value": value, "epoch": 3}
    return JobRecord(number, overrides, f"hidden_size={number},seed={number}", "", "f", "l", status, best=best, **more)


def a_sweep(jobs):
    keys = dict(id="", name="", task="", started=0.0, command="", directory="", overrides=[], launcher={})  # noqa: C408
    return SweepRecord(**keys, uri=None, experiment=None, jobs=jobs)


@pytest.fixture
def sweep(tmp_path):
    """Forty jobs: two run, since 100 s, ten have ended, one of them failed. -> record, progress, clock"""
    ended = [a_job(n, "FINISHED", 0.5 + n / 100, epochs=9) for n in range(9)] + [a_job(9, "FAILED", error="no memory")]
    record = a_sweep([*ended, a_job(10, "RUNNING"), a_job(11, "RUNNING"), *map(a_job, range(12, 40))])
    clock, progress = Clock(), {}
    for number in (10, 11):
        folder = RunFolder(tmp_path / str(number))
        folder.path.mkdir()
        progress[number] = Progress(folder, 2000, ["val/accuracy"], clock)
        lines = [{"epoch": epoch, "val/accuracy": 0.3 + epoch * number / 2000} for epoch in range(1, 51)]
        for clock.now, last in ((50.0, 1), (100.0, 50)):  # the first takes long
            folder.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines[:last]))
            progress[number].look()
        clock.now = 0.0
    return record, progress, clock


def drawn(record, progress, clock, size, since=0.0):
    console = Console(file=io.StringIO(), width=size[0], height=size[1], force_terminal=False)
    clock.now = since
    view = View(console, record, progress, 40, clock)
    clock.now = 100.0
    view.update()
    with console.capture() as captured:
        console.print(view.screen())
    return [line.rstrip() for line in captured.get().splitlines()]


def test_it_keeps_to_a_small_screen(sweep):
    lines = drawn(*sweep, size=(80, 24))
    assert len(lines) <= 24 - 3
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["job", "hidden_size", "lambda", "optimizer", "seed", "state", "epoch", "best", "left"]
    assert [line.split()[0] for line in lines[1:14]] == ["10", "11", *map(str, range(8, -1, -1)), "9", "and"]
    assert lines[13:] == [
        "and 28 waiting",
        "no room for rate",
        "best so far: val/accuracy 0.58, hidden_size=8 seed=8",
        "10 of 40 jobs over, 2 running, 1:40 so far, 8:29:21 left",
    ]


def test_a_large_screen_has_room_for_everything(sweep):
    lines = drawn(*sweep, size=(200, 60))
    assert len(lines) == 1 + 40 + 2
    assert lines[0].endswith("state     epoch    best   rate         left")
    assert lines[11].split()[5:] == ["RUNNING", "50/2000", "0.55", "1.0", "s/epoch", "33:10"]  # without its warming up
    assert [line.split()[0] for line in lines[1:41]] == [str(n) for n in range(40)]
    assert "FAILED" in lines[10]


def test_time_left_counts_the_trials_to_come_and_what_jobs_took(sweep):
    record, progress, clock = sweep
    record.jobs[12:] = []
    for job in record.jobs[:10]:
        job.status, job.seconds = "PENDING", 959.0
    view = View(Console(file=io.StringIO()), record, progress, 40, clock)
    for job in record.jobs[:10]:
        job.status = "FINISHED"
    mean = (10 * 959 + 2 * 2000 / 0.98) / 12
    assert view.seconds_left() == pytest.approx((2 * 1950 / 0.98 + 28 * mean) / 2)
    progress.clear()  # by Ctrl-C: nothing runs
    assert view._summary() == "10 of 40 jobs over, 0 running, 0:00 so far"


def test_elsewhere_lines_come_a_few_a_minute_and_failures_at_once():
    record = a_sweep([a_job(n) for n in range(101)])
    clock, console = Clock(), Console(file=io.StringIO(), width=80)
    view = View(console, record, {}, 101, clock)
    for job in record.jobs:
        clock.now += 1
        job.status, job.best = "FINISHED", {"metric": "val/accuracy", "value": 0.5, "epoch": 1}
        if job.number == 50:
            job.status, job.error = "FAILED", "no memory"
        view.update()
        view.ended(job)
    lines = console.file.getvalue().splitlines()
    assert lines[0].startswith("[1/101]  hidden_size=0 seed=0  FINISHED  val/accuracy 0.5")
    assert "[51/101]  hidden_size=50 seed=50  FAILED  no memory" in lines
    assert lines[-1].startswith("[101/101]")
    assert len(lines) <= 3 + 101 // PLAIN_SECONDS


def test_a_job_is_ranked_by_what_can_be_compared():
    assert watched_metrics(None, "sparse", ["model.hidden_size=3"]) == ["val/loss", "train/loss"]
    assert watched_metrics("train/kl", "sparse", ["loss.lambda=1"]) == ["train/kl"]
    assert watched_metrics(None, "sparse", ["loss.lambda=1"])[:2] == ["val/mse", "train/mse"]
    assert watched_metrics(None, "cross_entropy", ["loss.label_smoothing=0.1"])[0] == "val/accuracy"


def test_jobs_of_an_earlier_session_count_by_their_end():
    standing, jobs = Standing(), [a_job(0, "FINISHED", 0.4), a_job(1, "FINISHED", 0.6), a_job(2, "FAILED", 0.9)]
    metric = standing.metric(jobs)
    assert [job.number for job in standing.ranked(jobs, metric)] == [1, 0]


def test_a_job_that_was_over_before_its_last_lines_were_read_counts_by_its_end(tmp_path):
    standing, job = Standing(), a_job(0, "RUNNING", 0.4)
    metric = job.best["metric"]
    standing.follow([(0, SimpleNamespace(best=(metric, 0.3)))])
    assert standing.value(job, metric) == 0.3
    job.status = "FINISHED"
    assert standing.value(job, metric) == 0.4
    job.status, job.best = "FAILED", {"metric": metric, "value": None, "epoch": None}  # it diverged at once
    assert standing.value(job, metric) is None
