"""Trials as jobs: asked for, told, repeated, left open and tried again. Optuna is real; jobs are made up."""

import json

import pytest

from duograd.runner.store.folders import RunFolder
from duograd.runner.store.records import JobRecord
from duograd.runner.sweep.options import search_options
from duograd.runner.sweep.progress import BestAtRungs, Progress
from duograd.runner.sweep.space import Choices, Numbers, Space
from duograd.runner.sweep.study import Study
from duograd.runner.sweep.trials import Trials

SPACE = Space((Numbers("x", -2.0, 2.0, integer=False), Choices("c", ("a", "b"))), (), ())
FEW = Space((Choices("c", ("a", "b")),), (), ())
OPTIONS = {"n_trials": 8, "timeout": None, "sampler": "tpe", "pruner": "none", "startup_trials": 3}
OPTIONS |= {"warmup_epochs": None, "seed": 0}


class MadeUp:
    """Jobs by their values; `composed` is all that a source asks of them."""

    class Composed:
        class config:  # noqa: N801
            epochs = 10

    def __init__(self, known=()):
        self.records = list(known)
        self.composed = {}

    def of(self, values, seed=None):
        name = json.dumps(values if seed is None else values | {"seed": seed})
        found = next((job for job in self.records if job.name == name), None)
        if found is None:
            number = len(self.records)
            found = JobRecord(number, [], name, name, f"job{number}", "")
            self.records.append(found)
        self.composed[found.number] = self.Composed
        return found


class Search:
    """A source over a journal, and one job at a time."""

    def __init__(self, folder, space=SPACE, known=(), rises=False, rungs=(), **changes):
        options = search_options(OPTIONS | changes)
        self.study = Study(folder / "study.journal", space, options, higher_is_better=rises, epochs=10)
        self.jobs = MadeUp(known)

        def watch(run):
            return BestAtRungs(run, "train/loss", rises, list(rungs))

        seeds = range(options.seeds) if options.seeds > 1 else (None,)
        self.source = Trials(self.study, self.jobs, options, watch, list(known), seeds, epochs=10)

    def ends(self, job, status="FINISHED", value=None, diverged=False):
        job.status, job.diverged = status, diverged
        job.best = None if value is None else {"metric": "train/loss", "value": value, "epoch": 1}
        self.source.tell(job)

    def run(self, value=lambda values: values["x"] ** 2):
        """Until it is over; the values that were tried."""
        tried = []
        while found := self.source.ask():
            tried.append(json.loads(found[0].name))
            self.ends(found[0], value=value(tried[-1]))
        return tried

    @property
    def states(self):
        return [trial.state.name for trial in self.study.trials]


def test_a_seed_decides_the_trials_also_when_they_come_in_two_sessions(tmp_path):
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    whole = Search(tmp_path / "one").run()
    first = Search(tmp_path / "two", n_trials=5)
    parts = first.run() + Search(tmp_path / "two", known=first.jobs.records).run()
    assert len(whole) == 8
    assert parts == whole
    assert Search(tmp_path / "three", seed=1).run() != whole


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_samplers_keep_to_the_space_and_tell_trials_apart(tmp_path, sampler):
    tried = Search(tmp_path, sampler=sampler, n_trials=12).run()
    assert all(-2 <= values["x"] <= 2 and values["c"] in "ab" for values in tried)
    assert len({values["x"] for values in tried}) == 12
    assert {values["c"] for values in tried} == {"a", "b"}


def test_steps_are_kept_to(tmp_path):
    axes = (Numbers("x", 0.5, 2.0, integer=False, step=0.5), Numbers("n", 1, 9, integer=True, step=4))
    tried = Search(tmp_path, Space(axes, (), ()), n_trials=12, sampler="random").run()
    assert {values["x"] for values in tried} == {0.5, 1.0, 1.5, 2.0}
    assert {values["n"] for values in tried} == {1, 5, 9}


@pytest.mark.parametrize(("rises", "sign"), [(False, 1), (True, -1)])
def test_tpe_comes_closer_to_the_best(tmp_path, rises, sign):
    tried = Search(tmp_path, rises=rises, n_trials=30).run(lambda values: sign * (values["x"] - 1) ** 2)
    far = [abs(values["x"] - 1) for values in tried]
    assert sum(far[-10:]) < sum(far[:10])
    assert min(far) < 0.2


def test_equal_trials_are_one_job(tmp_path):
    search = Search(tmp_path, FEW, n_trials=9)
    tried = search.run(lambda values: {"a": 1.0, "b": 2.0}[values["c"]])
    assert sorted(values["c"] for values in tried) == ["a", "b"]
    assert search.states == ["COMPLETE"] * 9
    told = {(trial.params["c"], trial.value, trial.user_attrs["job"]) for trial in search.study.trials}
    assert len(told) == 2


def test_equal_trials_at_once_wait_for_the_same_job(tmp_path):
    search = Search(tmp_path, FEW, n_trials=9)
    out = [search.source.ask()[0], search.source.ask()[0]]
    assert search.source.ask() is None  # all others are one of the two, and wait
    assert search.states == ["RUNNING"] * 9
    for job, value in zip(out, (1.0, 2.0), strict=True):
        search.ends(job, value=value)
    assert search.states == ["COMPLETE"] * 9


@pytest.mark.parametrize(
    ("ending", "state", "value"),
    [
        ({"value": 3.0}, "COMPLETE", 3.0),
        ({"value": None}, "FAIL", None),
        ({"value": float("nan")}, "FAIL", None),
        ({"status": "PRUNED", "value": 3.0}, "PRUNED", 3.0),
        ({"status": "FAILED"}, "FAIL", None),
        ({"status": "FAILED", "diverged": True}, "PRUNED", None),
        ({"status": "FAILED", "diverged": True, "value": 7.0}, "PRUNED", 7.0),
        ({"status": "KILLED"}, "RUNNING", None),
    ],
)
def test_what_optuna_is_told(tmp_path, ending, state, value):
    search = Search(tmp_path)
    job, _ = search.source.ask()
    job.epochs = 4
    search.ends(job, **{"status": "FINISHED", **ending})
    [trial] = search.study.trials
    assert (trial.state.name, trial.value) == (state, value)


def test_every_trial_counts_once_whatever_became_of_it(tmp_path):
    search = Search(tmp_path, n_trials=4)
    for ending in ({"status": "FAILED"}, {"status": "PRUNED", "value": 1.0}, {"status": "KILLED"}, {"value": 1.0}):
        search.ends(search.source.ask()[0], **{"status": "FINISHED", **ending})
    assert search.source.ask() is None
    assert search.source.over


def test_a_resume_goes_on_with_what_was_left_open_and_tries_failures_again(tmp_path):
    first = Search(tmp_path, n_trials=5)
    done, failed, diverged, out = (first.source.ask()[0] for _ in range(4))
    first.ends(done, value=1.0)
    first.ends(failed, "FAILED")
    first.ends(diverged, "FAILED", diverged=True)
    out.status = "KILLED"
    second = Search(tmp_path, n_trials=5, known=first.jobs.records)
    again = [second.source.ask()[0] for _ in range(3)]
    assert again[:2] == [out, failed]
    assert again[2] not in first.jobs.records[:4]
    for job in again:
        second.ends(job, value=2.0)
    assert second.source.ask() is None
    assert sorted(second.states) == ["COMPLETE"] * 4 + ["FAIL", "PRUNED"]


def test_after_the_timeout_nothing_begins(tmp_path, monkeypatch):
    search = Search(tmp_path, timeout=100.0)
    job, _ = search.source.ask()
    began = search.source._began
    monkeypatch.setattr("time.monotonic", lambda: began + 101)
    assert search.source.ask() is None
    search.ends(job, value=1.0)
    assert search.source.over


def test_a_torn_journal_is_mended(tmp_path):
    """Cut anywhere in its last line, and with the lock of a process that is gone."""
    first = Search(tmp_path, n_trials=3)
    first.run()
    journal = tmp_path / "study.journal"
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    for torn in (len(whole) - 1, len(whole) - len(lines[-1]) + 1):
        journal.write_bytes(whole[:torn])
        (tmp_path / "study.journal.lock").symlink_to(journal)
        again = Search(tmp_path, n_trials=3, known=first.jobs.records)
        assert not list(tmp_path.glob("*.lock"))
        assert again.states == ["COMPLETE", "COMPLETE", "RUNNING"]
        assert journal.read_bytes().startswith(b"".join(lines[:-1]))
        again.run()
        assert Search(tmp_path, n_trials=3).states == ["COMPLETE"] * 3


def test_a_trial_that_was_not_thought_out_has_failed_and_is_no_trial(tmp_path):
    first = Search(tmp_path, n_trials=3)
    trial = first.study._study.ask()  # no value yet
    second = Search(tmp_path, n_trials=3)
    assert second.states == ["FAIL"]
    assert trial.number == 0
    assert len(second.run()) == 3


def test_the_value_of_several_seeds_is_their_mean_also_after_a_resume(tmp_path):
    search = Search(tmp_path, n_trials=2, seeds=3)
    for value in (1.0, 2.0):
        search.ends(search.source.ask()[0], value=value)
    assert search.states == ["RUNNING"]
    again = Search(tmp_path, n_trials=2, seeds=3, known=search.jobs.records)
    tried = again.run(lambda values: 6.0)
    assert [values["seed"] for values in tried[:2]] == [2, 0]
    assert again.states == ["COMPLETE"] * 2
    assert [trial.value for trial in again.study.trials] == [3.0, 6.0]


def test_a_seed_that_fails_or_diverges_ends_its_trial(tmp_path):
    search = Search(tmp_path, n_trials=2, seeds=3)
    search.ends(search.source.ask()[0], value=1.0)
    search.ends(search.source.ask()[0], "FAILED", diverged=True)
    assert search.states == ["PRUNED"]
    search.ends(search.source.ask()[0], "FAILED")
    assert search.states == ["PRUNED", "FAIL"]


def test_a_trial_is_pruned_after_its_first_seeds(tmp_path):
    rungs = {"pruner": "median", "startup_trials": 2, "warmup_epochs": 10, "rungs": (10,)}
    search = Search(tmp_path, n_trials=4, seeds=2, **rungs)

    def train(value):
        job, composed = search.source.ask()
        progress = Progress(metrics(tmp_path / job.folder, [value] * 10), composed.config.epochs)
        assert not search.source.should_prune(job, progress)  # it had finished by then
        search.ends(job, value=value)

    for value in (1.0, 3.0, 1.5, 1.5):
        train(value)
    train(9.0)
    assert search.states == ["COMPLETE", "COMPLETE", "PRUNED"]
    assert [trial.value for trial in search.study.trials] == [2.0, 1.5, 9.0]
    assert search.study.trials[0].intermediate_values == {10: 1.0, 20: 2.0}
    train(0.5)
    assert search.states[3] == "RUNNING"


def metrics(folder, losses):
    folder.mkdir(exist_ok=True)
    run = RunFolder(folder)
    run.identity.write_text("{}")
    run.config.write_text("{}")
    lines = [json.dumps({"epoch": epoch, "train/loss": loss}) for epoch, loss in enumerate(losses, 1)]
    run.metrics.write_text("".join(line + "\n" for line in lines))
    return run


def test_a_watch_tells_the_best_so_far_at_each_rung_once(tmp_path):
    run = RunFolder(tmp_path / "run")
    watch = BestAtRungs(run, "train/loss", False, [1, 3, 4, 6])
    assert list(watch.new()) == []  # it has not begun
    metrics(run.path, [5, 3, 4])
    assert list(watch.new()) == [(1, 5), (3, 3)]
    assert list(watch.new()) == []
    metrics(run.path, [5, 3, 4, 2, 9, 9])
    assert list(watch.new()) == [(4, 2), (6, 2)]


@pytest.mark.parametrize("pruner", ["median", "asha"])
def test_the_hopeless_are_pruned_and_the_good_are_not(tmp_path, pruner):
    search = Search(tmp_path, pruner=pruner, warmup_epochs=2, startup_trials=2, rungs=(2, 4, 6, 8, 10), n_trials=20)

    def verdict(losses):
        job, composed = search.source.ask()
        run = metrics(tmp_path / job.folder, losses)
        found = search.source.should_prune(job, Progress(run, composed.config.epochs))
        metrics(tmp_path / job.folder, losses)
        job.epochs = len(losses)
        search.ends(job, "PRUNED" if found else "FINISHED", min(losses))
        return found

    assert [verdict([1.0] * 10) for _ in range(3)] == [False] * 3
    assert verdict([2.0] * 3)
    assert not verdict([0.5] * 10)
    assert not verdict([3.0])  # still warming up
    assert verdict([0.5, 0.5, 0.5] + [0.6] * 7) is False  # its best stays as good as the best


def test_what_was_reported_before_a_kill_is_not_again(tmp_path):
    rungs = {"pruner": "median", "rungs": (1, 2, 3)}
    first = Search(tmp_path, **rungs)
    job, _ = first.source.ask()
    assert not first.source.should_prune(job, Progress(metrics(tmp_path / job.folder, [3.0, 2.0]), 10))
    job.status = "KILLED"
    second = Search(tmp_path, known=first.jobs.records, **rungs)
    assert second.source.ask()[0] is job
    assert not second.source.should_prune(job, Progress(metrics(tmp_path / job.folder, [3.0, 2.0, 1.0]), 10))
    [trial] = second.study.trials
    assert trial.intermediate_values == {1: 3.0, 2: 2.0, 3: 1.0}


def test_without_a_pruner_nothing_is_hopeless_or_written(tmp_path):
    search = Search(tmp_path, rungs=(1,))
    job, _ = search.source.ask()
    before = (tmp_path / "study.journal").read_bytes()
    assert not search.source.should_prune(job, Progress(metrics(tmp_path / job.folder, [1.0]), 10))
    assert (tmp_path / "study.journal").read_bytes() == before


def test_importances_find_what_matters_and_are_hidden_where_nothing_can_be_told(tmp_path):
    for name in ("told", "equal", "single"):
        (tmp_path / name).mkdir()
    told = Search(tmp_path / "told", n_trials=15)
    told.ends(told.source.ask()[0], value=1.0)
    told.ends(told.source.ask()[0], "PRUNED", value=2.0)
    assert told.study.importances() is None  # one complete trial
    told.run()
    shares = told.study.importances()
    assert shares["x"] > shares["c"]
    assert sum(shares.values()) == pytest.approx(1)
    equal = Search(tmp_path / "equal", n_trials=5)
    equal.run(lambda values: 1.0)
    assert equal.study.importances() is None
    single = Search(tmp_path / "single", FEW, n_trials=5)
    single.run(lambda values: {"a": 1.0, "b": 2.0}[values["c"]])
    assert single.study.importances() is None
