"""A run as a report needs it, read from its folder whatever state that is in; and a sweep's runs by its sweep.json.

Legend: E epochs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from duograd.runner.dotted import dotted
from duograd.runner.errors import UserError
from duograd.runner.folder import SWEEP, RunFolder
from duograd.runner.locks import TRAINER, is_held
from duograd.runner.tracking.reader import Reader, is_run_folder

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
)
MISSING = object()
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
        """metrics.jsonl by column, (E,) each: NaN where an epoch lacks the metric, or its line is torn."""
        if not is_run_folder(self.folder):
            return {}
        lines = Reader(self.folder).new_lines()
        epochs = max((epoch for epoch, _ in lines), default=0)
        columns = {name: np.full(epochs, np.nan) for _, metrics in lines for name in metrics}
        for epoch, metrics in lines:
            for name, value in metrics.items():
                columns[name][epoch - 1] = value
        return columns

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What the run was set to, by dotted key; a group's option under the group's name, such as optimizer: adam."""
        leaves = ((key, value) for key, value in dotted(self.config) if value != {})
        flat = {key.removesuffix(".name"): hashable(value) for key, value in leaves}
        return {key: value for key, value in flat.items() if not key.startswith(NEVER)} | dict(self.swept)

    @property
    def outcome(self) -> str:
        """How it ended, in a word, for where a number should stand: diverged, failed, running, …"""
        return "diverged" if self.summary.get("diverged") else self.status.lower()

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


@dataclass(frozen=True)
class Sweep:
    """What sweep.json says of the sweep as a whole. swept: the values of each swept key, in the order of typing."""

    name: str
    swept: Mapping[str, list[Any]]
    command: str
    parent_run_id: str | None


def read_run(path: Path) -> Record:
    """The run of a folder. Raises UserError where the folder never held one; damaged files make it DAMAGED."""
    if not is_run_folder(path):
        raise UserError(f"{path} is not the folder of a run: it has no config.yaml and run.json")
    try:
        identity, config, summary = _json(path / "run.json"), _config(path), _json(path / "summary.json")
    except ValueError as error:
        return Record(path.name, path, "DAMAGED", str(error), log=RunFolder(path).log)
    status, why = _ending(path, summary)
    name = str(identity.get("name") or path.name)
    return Record(name, path, status, why, config, summary, identity, log=RunFolder(path).log)


def read_sweep(path: Path) -> tuple[Sweep, list[Record]]:
    """The sweep of a folder and its runs by number. Raises UserError where sweep.json is missing or is none."""
    try:
        sweep = _json(path / SWEEP)
        jobs = [_job(path, job) for job in sorted(sweep["jobs"], key=lambda job: int(job["number"]))]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path / SWEEP} is not what a sweep writes ({error!r}): compare its run folders") from None
    name, command = str(sweep.get("name") or path.name), str(sweep.get("command") or "")
    return Sweep(name, sweep.get("swept") or {}, command, sweep.get("parent_run_id")), jobs


def _job(sweep: Path, job: Mapping[str, Any]) -> Record:
    """A job's run: what its folder says, unless only sweep.json can know how it ended."""
    name, folder, told = str(job["name"]), sweep / job["folder"], str(job["status"])
    found = read_run(folder) if is_run_folder(folder) else Record(name, folder, told, job.get("error"))
    unsettled = not found.summary and found.status != "DAMAGED"
    if told == "PRUNED" or (unsettled and told in ("FAILED", "KILLED")):
        found = replace(found, status=told, error=job.get("error") or found.error)
    swept = dict(_swept(override, found.config) for override in job["overrides"])
    return replace(found, name=name, swept=swept, log=sweep / job["log"] if job.get("log") else found.log)


def _swept(override: str, config: Mapping[str, Any]) -> tuple[str, Any]:
    """The key of `loss.lambda=1e-5` and its value as the run took it; as it was typed where no run says."""
    key, _, typed = override.lstrip("+~").partition("=")
    value: Any = config
    for part in key.split("."):
        value = value.get(part, MISSING) if isinstance(value, Mapping) else MISSING
    if isinstance(value, Mapping):  # a group, such as optimizer=adam
        value = value.get("name", MISSING)
    return key, as_typed(typed) if value is MISSING else hashable(value)


def as_typed(text: str) -> Any:
    """A value as Hydra would read it: `1e-5` is a number, `[64,32]` a list, `adam` a word."""
    try:
        value = OmegaConf.to_container(OmegaConf.create(f"value: {text}"))
    except (YAMLError, OmegaConfBaseException):
        return text
    return hashable(value["value"]) if isinstance(value, dict) else text


def hashable(value: Any) -> Any:
    """The value, with tuples for lists, so that it can be a key."""
    return tuple(hashable(item) for item in value) if isinstance(value, list) else value


def _ending(path: Path, summary: Mapping[str, Any]) -> tuple[str, str | None]:
    """Status and error; without a summary a run is still going, if a process holds its lock, or was killed."""
    if summary:
        return str(summary.get("status")), summary.get("error")
    if is_held(path / TRAINER):
        return "RUNNING", None
    return "KILLED", "ended without a summary: its process was killed"


def _json(path: Path) -> dict[str, Any]:
    """The file's object, {} where there is no such file. Raises ValueError for a damaged one."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} is damaged ({error})") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} is damaged (it holds no object)")
    return content


def _config(path: Path) -> dict[str, Any]:
    try:
        content = OmegaConf.to_container(OmegaConf.load(path / "config.yaml"))
    except (OSError, ValueError, YAMLError, OmegaConfBaseException) as error:
        raise ValueError(f"config.yaml is damaged ({str(error).splitlines()[0]})") from None
    if not isinstance(content, dict):
        raise ValueError("config.yaml is damaged (it holds no keys)")
    return {str(key): value for key, value in content.items()}
