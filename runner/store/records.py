"""sweep.json and search.json: what a sweep or a search is and how far it got.

Only the sweep's own process writes them, as a whole, as it goes.
"""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from duograd.runner.errors import UserError
from duograd.runner.redaction import redact
from duograd.runner.store import files, moving, schema
from duograd.runner.store.folders import PRUNED, SEARCH, SWEEP, RunFolder
from duograd.runner.store.overrides import as_typed, by_key

SAYS = {  # what a sampler or a pruner of Optuna's does
    "tpe": "draws near the trials that did well",
    "qmc": "fills the space evenly",
    "median": "ends what is worse than the median",
    "asha": "at a few epochs ends all but the best third",
}
OVER = ("FINISHED", "PRUNED", "FAILED", "KILLED")  # of a job, or a sweep, that does nothing more
DIED = "its process died (killed, or out of memory)"


@dataclass
class JobRecord:
    """A job: overrides are what the sweep gave it; folder and log are relative to the sweep's folder."""

    number: int
    overrides: list[str]
    name: str
    hash: str
    folder: str
    log: str
    status: schema.Status = "PENDING"
    error: str | None = None
    run_id: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] | None = None
    seconds: float | None = None
    epochs: int = 0
    parameters: int = 0
    diverged: bool = False

    def check(self) -> None:
        """Raises UserError for what no sweep writes: a folder outside the sweep's, an override that is none."""
        for path in (self.folder, self.log):
            if not Path(path).parts or Path(path).is_absolute() or ".." in Path(path).parts:
                raise UserError(f"job {self.number}: '{path}' lies outside the sweep's folder")
        by_key(self.overrides)

    def written(self, project: Path) -> Self:
        """As it stands in sweep.json: paths of the project relative to it; in what is only read, the home as ~."""
        overrides = moving.relative_overrides(self.overrides, project)
        return replace(self, overrides=overrides, error=self.error and redact(self.error))

    @property
    def settled(self) -> bool:
        """Whether it came to its end: nothing is left to do for it."""
        return self.status in ("FINISHED", "PRUNED")

    def refresh(self, sweep: Path) -> None:
        """Brings status and results up to what the job's folder says, which is the truth about it."""
        folder = RunFolder(sweep / self.folder)
        try:
            summary = folder.read_summary()
        except files.DamagedError as error:
            self.status, self.error = "FAILED", str(error)
            return
        if summary and not summary.get("drawing"):
            self._take(summary)
        elif folder.config.exists():
            self.status, self.error = "KILLED", self.error or DIED
        elif self.status != "FAILED":
            self.status, self.error = "PENDING", None

    def _take(self, summary: dict[str, Any]) -> None:
        pruned = summary["status"] == "FINISHED" and summary.get("stopped_by") == PRUNED
        self.status, self.error = "PRUNED" if pruned else summary["status"], summary.get("error")
        self.diverged, self.seconds = summary.get("diverged", False), summary.get("seconds")
        self.metrics, self.best = summary.get("metrics") or {}, summary.get("best")
        self.epochs, self.parameters = summary.get("epochs", 0), summary.get("parameters", 0)


@dataclass(frozen=True)
class Origin:
    """What all jobs of a sweep are composed from, beside their own overrides.

    config_name: the root; config_dir: a folder beside duograd's own, absolute; hydra: overrides of Hydra's own.
    """

    config_name: str = "config"
    config_dir: str | None = None
    hydra: list[str] = field(default_factory=list)


@dataclass
class SweepRecord:
    """The whole file. directory: where the command was given, which relative paths are meant from.

    origin: what all jobs are composed from. best_job: the number of the job that leads, as far as is known.
    """

    id: str
    name: str
    task: str
    started: float
    command: str
    directory: str
    overrides: list[str]
    launcher: dict[str, Any]
    uri: str | None
    experiment: str | None
    parent_run_id: str | None = None
    status: schema.Status = "RUNNING"
    best_job: int | None = None
    origin: Origin = field(default_factory=Origin)
    jobs: list[JobRecord] = field(default_factory=list)

    @property
    def swept(self) -> dict[str, list[Any]]:
        """The values of each swept key, in the order of the jobs."""
        typed: dict[str, dict[str, None]] = {}
        for job in self.jobs:
            for key, value in by_key(job.overrides).items():
                typed.setdefault(key, {})[value] = None
        return {key: [as_typed(value) for value in values] for key, values in typed.items()}

    def count(self, *statuses: str) -> int:
        return sum(job.status in statuses for job in self.jobs)

    def save(self, sweep: Path) -> None:
        project = Path(self.directory)
        where: dict[str, Any] = {"directory": moving.relative(self.directory, sweep, project)}
        where["overrides"] = moving.relative_overrides(self.overrides, project)
        where["jobs"] = [asdict(job.written(project)) for job in self.jobs]
        folder, hydra = self.origin.config_dir, moving.relative_overrides(self.origin.hydra, project)
        config_dir = folder and moving.relative(folder, sweep, project)
        where["origin"] = asdict(replace(self.origin, config_dir=config_dir, hydra=hydra))
        if self.uri is not None:
            where["uri"] = moving.relative(self.uri, sweep, project)
        said = {"command": redact(self.command), "swept": self.swept}
        files.write_json(sweep / SWEEP, {**asdict(self), **where, **said}, exact=True)

    @classmethod
    def load(cls, sweep: Path) -> Self:
        """What was saved. Raises UserError where it is none, DamagedError where it is damaged."""
        path = sweep / SWEEP
        if not path.exists():
            raise UserError(f"{sweep} is not the folder of a sweep: it has no {SWEEP}")
        try:
            record = schema.read(path, cls)
            record.jobs.sort(key=lambda job: job.number)
            record.directory = moving.absolute(record.directory, sweep)
            if folder := record.origin.config_dir:
                record.origin = replace(record.origin, config_dir=moving.absolute(folder, sweep))
            record.uri = record.uri and moving.absolute(record.uri, sweep)
            for job in record.jobs:
                job.check()
            return record
        except UserError as error:
            reason = str(error).removeprefix(f"{path} is damaged ")
            raise files.DamagedError(f"{path} is not what a sweep writes {reason}: compare its run folders") from None


@dataclass
class TrialRecord:
    """state: as Optuna calls it; value: the best of the metric, None for a failed trial; job: the number of its run."""

    number: int
    state: str
    value: float | None
    job: int | None


@dataclass
class SearchRecord:
    """What a search looks for and how, from its start; at its end what every trial came to.

    typed, fixed: the axes and the overrides that all trials share. digest: tells whether what all share is still the
    same. metric: that decides, as far as it is known. importances: the share of each key, where they can be told.
    """

    typed: list[str]
    fixed: list[str]
    digest: str
    options: dict[str, Any]
    metric: str | None
    trials: list[TrialRecord] = field(default_factory=list)
    importances: dict[str, float] | None = None

    def save(self, sweep: Path) -> None:
        files.write_json(sweep / SEARCH, asdict(self), exact=True)

    @property
    def method(self) -> str:
        """How it chooses its trials, and ends some early: `tpe (draws near the trials that did well)`."""
        sampler, pruner = (
            f"{n} ({SAYS[n]})" if n in SAYS else n for n in (self.options["sampler"], self.options["pruner"])
        )
        return sampler if pruner == "none" else f"{sampler}, pruned by {pruner}"

    @classmethod
    def load(cls, sweep: Path) -> Self:
        """What was saved. Raises DamagedError where it is none."""
        try:
            return schema.read(sweep / SEARCH, cls)
        except files.DamagedError as error:
            raise files.DamagedError(f"{sweep / SEARCH} is not what a search writes ({error})") from None
