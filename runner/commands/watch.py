"""duograd watch SWEEP: the live table of a sweep that runs elsewhere, from its folder alone, and its report then."""

import argparse
import shlex
import time
from pathlib import Path

from rich.console import Console

from duograd.runner.context import terminal
from duograd.runner.report.links import mlflow_link
from duograd.runner.report.report import Report
from duograd.runner.report.select import sweep_runs
from duograd.runner.store import locks
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.records import SweepRecord
from duograd.runner.subcommands import command_parser
from duograd.runner.sweep.columns import counts
from duograd.runner.sweep.progress import Progress
from duograd.runner.sweep.standing import watched_metrics
from duograd.runner.sweep.table import WORDS, View, go_on

LOOK_SECONDS = 1.0
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Until the sweep is over: 0 where all its jobs are finished, 1 where not. Ctrl-C ends the looking alone.

    Raises UserError.
    """
    folder = _parser().parse_args(arguments).dir
    console = terminal()
    record = SweepRecord.load(folder)
    try:
        _follow(folder, record, console)
    except KeyboardInterrupt:
        _say(console, f"the sweep goes on; look again: duograd watch {shlex.quote(str(folder))}")
        return INTERRUPTED
    comparison = sweep_runs(folder)
    report = Report(folder, comparison, [], [], mlflow_link(comparison))
    report.show(console)
    if record.status != "FINISHED":
        _say(console, f"{counts(record.jobs, WORDS)}; {go_on(folder)}")
    elif not report.page.exists():
        _say(console, f"its answer was left out; to draw one: duograd compare {shlex.quote(str(folder))}")
    return 0 if record.status == "FINISHED" else 1


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("watch")
    parser.add_argument(
        "dir", type=Path, metavar="SWEEP", help="the folder of a sweep, on a disk that this machine sees"
    )
    return parser


def _follow(folder: Path, record: SweepRecord, console: Console) -> None:
    """Shows how far the jobs are, until sweep.json says that the sweep is over."""
    progress: dict[int, Progress] = {}
    if record.status == "RUNNING" and not locks.is_held(folder / locks.SWEEP):
        _say(
            console,
            f"no process of this machine holds this sweep: it runs on another, or it was killed (then {go_on(folder)})",
        )
    with View(console, record, progress) as view:
        while record.status == "RUNNING":
            _look(folder, record, progress, view)
            time.sleep(LOOK_SECONDS)


def _look(folder: Path, record: SweepRecord, progress: dict[int, Progress], view: View) -> None:
    """Brings record, progress and view up to what the folder says."""
    now = SweepRecord.load(folder)
    before = {job.number: job.status for job in record.jobs}
    record.status = now.status
    for place, job in enumerate(now.jobs):
        record.jobs[place : place + 1] = [job]  # one by one: the view counts those that are over
        run = RunFolder(folder / job.folder)
        if job.status != "RUNNING":
            progress.pop(job.number, None)
            if before.get(job.number) == "RUNNING" and job.status != "PENDING":
                view.ended(job)
        elif job.number not in progress and run.config.exists():
            config = run.read_config()
            watched = watched_metrics(config.get("monitor"), config["loss"]["name"], job.overrides)
            progress[job.number] = Progress(run, int(config["epochs"]), watched)
    for one in progress.values():
        one.look()
    view.update()


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True, markup=False)
