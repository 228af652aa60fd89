"""A run as a report needs it, read from its folder whatever state that is in; and a sweep's runs by its sweep.json.

Legend: E epochs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.models.errata.table import EXACT
from duograd.runner.errors import UserError
from duograd.runner.store import files, lines
from duograd.runner.store.folders import PRUNED, RunFolder, is_run_folder
from duograd.runner.store.overrides import as_typed, by_key, dotted, hashable
from duograd.runner.store.records import JobRecord, SweepRecord

# Parameters that do not change a result, and those that only say a group's option once more.
NEVER = (
    "tracking",
    "hydra",
    "checkpoint",
    "task.",
    "backend.threads",
    "eval_batch_size",
    "optimizer.rule",
    "model.family",
    *(f"{part}.file" for part in ("data", "model", "loss", "optimizer")),  # their hash counts
)
FOLDS = ("data.fold", "data.folds")
MISSING = object()
SHORTEST = len('{"epoch":1}\n')  # bytes of a line
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Record:
    """One run. status: FINISHED, FAILED, KILLED, PRUNED, RUNNING, PENDING, or DAMAGED where its files cannot be read.

    config, summary, identity: what stands in config.yaml, summary.json and run.json; {} where there is none.
    swept: the values that a sweep gave this run, by key, such as {"model.hidden_size": 50}; {} outside a sweep.
    """

    name: str
    folder: Path
    status: str
    error: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)
    swept: Mapping[str, Any] = field(default_factory=dict)
    log: Path | None = None

    @cached_property
    def history(self) -> dict[str, Floats]:
        """metrics.jsonl by column, (E,) each: NaN where an epoch lacks the metric, or its line is torn.

        Epochs that the file has no room for are damage, not a reason to make room.
        """
        if not is_run_folder(self.folder):
            return {}
        path = RunFolder(self.folder).metrics
        room = path.stat().st_size // SHORTEST if path.exists() else 0
        rows = [row for row in lines.epochs(lines.read(path)) if 1 <= row[0] <= room]
        last = max((epoch for epoch, _ in rows), default=0)
        columns = {name: np.full(last, np.nan) for _, metrics in rows for name in metrics}
        for epoch, metrics in rows:
            for name, value in metrics.items():
                columns[name][epoch - 1] = value
        return columns

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What the run was set to, by dotted key; a group's option under the group's name, such as optimizer: adam."""
        return settings(dotted(self.config)) | dict(self.swept)

    @property
    def outcome(self) -> str:
        """How it ended, in a word, for where a number should stand: diverged, failed, running, …"""
        return "diverged" if self.summary.get("diverged") else self.status.lower()

    @property
    def kind(self) -> str:
        """Its model and its backend, which runs that differ in their seed share."""
        names = (str((self.config.get(group) or {}).get("name", "")) for group in ("model", "backend"))
        return " ".join(name for name in names if name) or self.name

    @property
    def title(self) -> str:
        """Its name; its kind where that is a mere number, as of a sweep's only job."""
        return self.kind if self.name.isdecimal() else self.name

    @property
    def command(self) -> str:
        """What trains it again."""
        return str(self.identity.get("command", ""))

    @property
    def task(self) -> str | None:
        """autoencoder, activity, …; None where nothing says so."""
        found: str | None = self.identity.get("task") or (self.config.get("task") or {}).get("name")
        return found

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """The final ones, evaluated once more after the last update; {} for a run that did not get there."""
        found: Mapping[str, float | None] = self.summary.get("metrics") or {}
        return found

    @property
    def monitor(self) -> str | None:
        """The metric that decides which epoch was best."""
        named = (self.summary.get("best") or {}).get("metric") or self.config.get("monitor")
        usual = next((name for name in ("val/loss", "train/loss") if name in self.history), None)
        return named or usual


def settings(leaves: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Of a configuration by dotted key, what can change a result."""
    flat = {key.removesuffix(".name"): _comparable(value) for key, value in leaves if value != {}}
    unset = {key for key in FOLDS if flat.get(key) is None}  # as in a run of a time that knew none
    flat |= {"gradient": EXACT} if flat and "gradient" not in flat else {}  # likewise
    return {key: value for key, value in flat.items() if not key.startswith(NEVER) and key not in unset}


def read_run(path: Path) -> Record:
    """The run of a folder. Raises UserError where the folder never held one; damaged files make it DAMAGED."""
    if not is_run_folder(path):
        raise UserError(f"{path} is not the folder of a run: it has no config.yaml and run.json")
    folder = RunFolder(path)
    try:
        identity, config = folder.read_identity(), folder.read_config()
        summary, (status, why) = folder.read_summary(), folder.ending()
        if status == "FINISHED" and summary.get("stopped_by") == PRUNED:
            status = "PRUNED"
    except files.DamagedError as error:
        return Record(path.name, path, "DAMAGED", str(error), log=folder.log)
    return Record(str(identity.get("name") or path.name), path, status, why, config, summary, identity, log=folder.log)


def read_sweep(path: Path) -> tuple[SweepRecord, list[Record]]:
    """The sweep of a folder and its runs by number. Raises UserError where sweep.json is missing or is none."""
    sweep = SweepRecord.load(path)
    return sweep, [_job(path, job) for job in sweep.jobs]


def _job(sweep: Path, job: JobRecord) -> Record:
    """A job's run: what its folder says, unless only sweep.json can know how it ended."""
    folder = sweep / job.folder
    record = read_run(folder) if is_run_folder(folder) else Record(job.name, folder, job.status, job.error)
    unsettled = not record.summary and record.status != "DAMAGED"
    if job.status == "PRUNED" or (unsettled and job.status in ("FAILED", "KILLED")):
        record = replace(record, status=job.status, error=job.error or record.error)
    swept = {key: _taken(key, typed, record.config) for key, typed in by_key(job.overrides).items()}
    return replace(record, name=job.name, swept=swept, log=sweep / job.log if job.log else record.log)


def _taken(key: str, typed: str, config: Mapping[str, Any]) -> Any:
    """The value of a swept key as the run took it; as it was typed where no run says."""
    value: Any = config
    for part in key.split("."):
        value = value.get(part, MISSING) if isinstance(value, Mapping) else MISSING
    if isinstance(value, Mapping):  # a group, such as optimizer=adam
        value = value.get("name", MISSING)
    return as_typed(typed) if value is MISSING else _comparable(value)


def _comparable(value: Any) -> Any:
    """The value as a key of a mapping; a list of mappings by its text."""
    value = hashable(value)
    try:
        hash(value)
    except TypeError:
        return str(value)
    return value
