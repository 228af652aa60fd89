"""What a sweep says at its end."""

import shlex
import time

from rich.console import Console

from duograd.runner.report.report import Report, report_sweep
from duograd.runner.store.folders import SweepFolder
from duograd.runner.store.records import SweepRecord
from duograd.runner.sweep.execute import remember_runs
from duograd.runner.sweep.interrupt import Interrupt
from duograd.runner.sweep.naming import run_name
from duograd.runner.sweep.table import table
from duograd.runner.tracking.follower import LOG

LINK_SECONDS = 60.0  # the longest wait for MLflow to give the sweep's run an id: it is waited for afterwards anyway
POLL_SECONDS = 0.1


def await_links(folder: SweepFolder, record: SweepRecord, interrupt: Interrupt) -> None:
    """Waits until the mirror has created the parent and a child, unless it has a trouble to tell."""
    deadline = time.monotonic() + LINK_SECONDS
    while record.uri and interrupt.caught is None and not _linked(folder, record) and time.monotonic() < deadline:
        if (folder.path / LOG).exists() and (folder.path / LOG).stat().st_size > 0:
            return
        time.sleep(POLL_SECONDS)


def _linked(folder: SweepFolder, record: SweepRecord) -> bool:
    remember_runs(folder, record)
    return bool(record.parent_run_id) and any(job.run_id for job in record.jobs)


def written(folder: SweepFolder, console: Console) -> Report | None:
    """The answer, in the sweep's folder. None where writing it failed, which costs the sweep nothing else."""
    try:
        return report_sweep(folder.path)
    except Exception:
        console.print_exception()
        return None


def tell(console: Console, record: SweepRecord, folder: SweepFolder, answer: Report | None) -> None:
    """The answer; without one every job, and what failed with its error and log. Then how to go on."""

    def say(line: str, style: str | None = None) -> None:
        console.print(line, style=style, highlight=False, soft_wrap=True, markup=False)

    if answer is not None:
        answer.show(console)
    else:
        console.print(table(record.jobs, {}), highlight=False)
        for job in record.jobs:
            if job.error is not None:
                where = f" ({folder.path / job.log})" if (folder.path / job.log).exists() else ""
                style = "red" if job.status == "FAILED" else "yellow"
                say(f"{job.status} {run_name(job.name)}: {job.error}{where}", style)
    if record.status != "FINISHED":
        say(f"go on with it: duograd resume {shlex.quote(str(folder.path))}")
    say(f"everything is in {folder.path}")
