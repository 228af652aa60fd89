"""The mirror of a sweep's folder: a parent run, and a child for each job, brought up to date by one process.

The folder's sweep.json says which jobs there are; what each job reached, its own folder.
"""

import json
import time
from pathlib import Path

from duograd.runner.errors import UserError
from duograd.runner.redaction import redact
from duograd.runner.store.folders import SWEEP, RunFolder, is_run_folder
from duograd.runner.store.locks import MIRROR, TRAINER, is_held, locked
from duograd.runner.store.records import OVER, JobRecord, SweepRecord
from duograd.runner.tracking import TrackingError, UnreachableError, address
from duograd.runner.tracking.database import connect, one_line_errors, require_same_file
from duograd.runner.tracking.description import ID_TAG, origin, safe_name
from duograd.runner.tracking.mirror import Mirror
from duograd.runner.tracking.mlflow_api import Metric
from duograd.runner.tracking.reader import matching, modified
from duograd.runner.tracking.remote import RemoteRun, open_run
from duograd.runner.tracking.run import Mirrored, final_values

ARTIFACTS = (SWEEP, "ranking.csv", "answer.md", "answer.html", "figures/*")
SWEEP_TAG = "sweep"  # of the parent alone: its folder
LONGEST_ANSWER = 6000  # characters; MLflow refuses tags of more than 8000


class SweepMirror:
    """Mirrors one sweep's folder. `since`: when this session of it began, Unix s (see `Mirror`)."""

    def __init__(self, folder: Path, uri: str | None = None, since: float = 0.0, named_by_user: bool = True) -> None:
        self.folder = folder
        self._uri, self._named_by_user = uri, named_by_user
        self._runs = Mirror(uri, since, named_by_user)
        self._whole: dict[Path, float] = {}  # when the summary was written of each job that needs no other look
        self._parent: RemoteRun | None = None

    def update(self, alive: bool = True) -> list[Mirrored]:
        """Brings the parent and every job that has begun up to date; those of the jobs that had something new.

        alive=False: nobody runs the sweep any more. A job that MLflow refuses does not stop the others: the first
        refusal is raised at the end (TrackingError, one line).
        """
        sweep = SweepRecord.load(self.folder)
        parent = self._attached(sweep)
        mirrored, failures = list[Mirrored](), list[TrackingError]()
        for job in sweep.jobs:
            try:
                mirrored += self._update_job(job, parent.id, alive)
            except UnreachableError:
                raise
            except (TrackingError, UserError) as error:
                failures.append(TrackingError(f"{job.name}: {error}"))
        self._parent = None  # after a failure of any kind it is attached anew
        with one_line_errors(parent.uri):
            require_same_file(parent.uri)
            _update_parent(parent, sweep, alive)
        self._parent = parent
        if failures:
            raise failures[0]
        return mirrored

    def _attached(self, sweep: SweepRecord) -> RemoteRun:
        uri = address.resolve(self._uri or sweep.uri, Path.cwd())  # of one with tracking=none, as for a run by itself
        if self._parent is None:
            tags = {ID_TAG: sweep.id, "mlflow.runName": f"sweep {sweep.name}", **origin()}
            with one_line_errors(uri):
                experiment = sweep.experiment or sweep.task
                self._parent = open_run(
                    connect(uri, self._named_by_user), uri, self.folder, experiment, tags, sweep.started
                )
        return self._parent

    def _update_job(self, job: JobRecord, parent: str, alive: bool) -> list[Mirrored]:
        folder = RunFolder(self.folder / job.folder)
        if not is_run_folder(folder.path):
            return []  # it has not begun, or never did
        summary = modified(folder.summary) if folder.summary.exists() else None
        if summary is not None and self._whole.get(folder.path) == summary:
            return []
        running = is_held(folder.path / TRAINER) or (alive and job.status == "RUNNING")
        try:
            with locked(folder.path / MIRROR, wait_s=0):
                mirrored = self._runs.update(folder.path, parent, alive=running)
        except TimeoutError:
            if alive:
                return []  # it is resumed alone, and mirrors itself
            raise TrackingError("another process mirrors it; sync it when that has ended") from None
        if summary is not None and not running:
            self._whole[folder.path] = summary
        return [mirrored]


def _update_parent(parent: RemoteRun, sweep: SweepRecord, alive: bool) -> None:
    """What the best job came to, counts, tags and status; once the sweep is over, its files."""
    _log_results(parent, sweep)
    for name, value in _tags(sweep, parent).items():
        parent.tag(name, value and redact(value))
    status = sweep.status if alive or sweep.status != "RUNNING" else "KILLED"
    if status not in OVER:
        parent.go_on()
    elif not alive:
        parent.upload(matching(parent.folder, ARTIFACTS))
        parent.remember()
        if status != parent.status:
            parent.end(status, modified(parent.folder / SWEEP))


def _log_results(parent: RemoteRun, sweep: SweepRecord) -> None:
    """The values of the best job, and how many jobs came to which end: those that are new."""
    best = _best_job(sweep)
    counts = {f"jobs_{status.lower()}": float(sweep.count(status)) for status in OVER}
    values = {"jobs": float(len(sweep.jobs)), **{name: number for name, number in counts.items() if number}}
    values |= final_values({"metrics": best.metrics, "best": best.best}) if best else {}
    now = int(time.time() * 1000)
    parent.log([Metric(name, value, now, 0) for name, value in values.items() if parent.values.get(name) != value])
    parent.values |= values


def _best_job(sweep: SweepRecord) -> JobRecord | None:
    return next((job for job in sweep.jobs if job.number == sweep.best_job), None)


def _tags(sweep: SweepRecord, parent: RemoteRun) -> dict[str, str | None]:
    """What the parent's page shows: where the sweep is, how to ask for it again, what it sweeps over, how far it is."""
    over = sum(job.status in OVER for job in sweep.jobs)
    swept = {f"swept.{safe_name(key)}": json.dumps(values) for key, values in sweep.swept.items()}
    best = _best_job(sweep)
    return {
        SWEEP_TAG: str(parent.folder),
        "command": sweep.command,
        "jobs": f"{over} of {len(sweep.jobs)} over",
        "best_job": best.name.replace(",", " ") if best else None,
        "mlflow.note.content": _note(sweep, parent, best),
        **swept,
    }


def _note(sweep: SweepRecord, parent: RemoteRun, best: JobRecord | None) -> str:
    """The description, in Markdown: the answer's first part where there is one, what to type, where it all is."""
    counts = ", ".join(f"{sweep.count(status)} {status.lower()}" for status in OVER if sweep.count(status))
    lines = [f"{len(sweep.jobs)} jobs: {counts or 'none over yet'}."]
    if best and best.best and best.best.get("value") is not None:
        lines.append(f"Best job so far: **{best.name}**, {best.best['metric']} {best.best['value']:.5g}.")
    answer = _answer(parent.folder) if sweep.status in OVER else ""
    where = f"```\n{sweep.command}\n```\n\nFolder: {parent.folder}"
    if answer:
        run = f"#/experiments/{parent.run.info.experiment_id}/runs/{parent.id}"  # of whatever server shows it
        page = f"{run}/artifacts/answer.html?workflowType=machine_learning"
        where = f"The whole answer, with its pictures: [answer.html]({page}).\n\n{where}"
    return "\n\n".join([answer or " ".join(lines), where])


def _answer(folder: Path) -> str:
    """What answer.md says before its details and pictures; "" without one, or where it is too long for a tag."""
    path = folder / "answer.md"
    text = path.read_text(errors="replace") if path.exists() else ""
    head, ranking, rest = text.partition("\n## Ranking\n")
    first = head.partition("\n")[2].strip() + "\n\n" + rest.partition("\n## ")[0].strip() if ranking else ""
    return first if len(first) <= LONGEST_ANSWER else head.partition("\n")[2].strip()
