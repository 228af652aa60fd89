"""A run as its folder tells of it: what it was, what came out, and its network to ask."""

from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from duograd.runner.api import frames, pages
from duograd.runner.api.values import Typed, overrides
from duograd.runner.errors import UserError
from duograd.runner.report.records import Record, read_run
from duograd.runner.store.folders import SWEEP, RunFolder

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from pandas import DataFrame

    from duograd.data.dataset import DataSet
    from duograd.runner.api.network import Network


class Run:
    """A run, read from its folder whenever it is asked: one that goes on elsewhere is seen as it grows.

    trust: to resume or predict, import the copy of own code that the folder keeps, though this user has not run it
    before, or the file that it was copied of is gone or differs. Raises UserError where the folder holds no run, or is
    damaged.
    """

    def __init__(self, folder: str | PathLike[str], trust: bool = False) -> None:
        self.folder, self._trust = Path(folder).absolute(), trust
        if (self.folder / SWEEP).is_file():
            raise UserError(f"{folder} is the folder of a sweep: duograd.Sweep({str(folder)!r})")
        self._record()

    def _record(self) -> Record:
        record = read_run(self.folder)
        if record.status == "DAMAGED":
            raise UserError(record.error or f"{self.folder} is damaged")
        return record

    @property
    def name(self) -> str:
        """Model, backend, and what was set by hand."""
        return self._record().name

    @property
    def status(self) -> str:
        """FINISHED, FAILED, KILLED, RUNNING, or PRUNED by a search."""
        return self._record().status

    @property
    def config(self) -> dict[str, Any]:
        """config.yaml: `run.config["model"]["hidden_size"]`."""
        return dict(self._record().config)

    @property
    def summary(self) -> dict[str, Any]:
        """summary.json: status, final metrics, best, seconds, …; {} while the run goes on."""
        return dict(self._record().summary)

    @property
    def metrics(self) -> "DataFrame":
        """A row an epoch, a column a metric such as `train/loss`."""
        return frames.metrics(RunFolder(self.folder))

    @property
    def figures(self) -> pages.Pictures:
        """The pictures by name; a notebook shows them."""
        return pages.Pictures(RunFolder(self.folder).figures)

    @cached_property
    def data(self) -> "DataSet":
        """The samples that it was trained on, read again. Raises UserError where they are not what they were."""
        return self._network("best").data

    def predict(self, x: "ArrayLike | DataFrame", weights: Literal["best", "last"] = "best") -> "NDArray[Any]":
        """What the network says of new samples, given as its data source has them (their own units; N first).

        Names of classes (N,), or values (N, V) in their own units, or reconstructions (N, I). weights: those that gave
        the best value, or the last. Raises UserError where shapes do not fit, or weights or data are gone.
        """
        return self._network(weights).answers(x)

    def scores(self, x: "ArrayLike | DataFrame", weights: Literal["best", "last"] = "best") -> "NDArray[Any]":
        """The same as the network has it: a score for each class (N, C), the largest of which is predicted."""
        return self._network(weights).outputs(x)

    def _network(self, weights: Literal["best", "last"]) -> "Network":
        if weights not in ("best", "last"):
            raise UserError(f"weights={weights!r}: expected 'best' or 'last'")
        if weights not in self._networks:
            from duograd.runner.api.network import Network
            from duograd.runner.store.code import restore_run

            restore_run(RunFolder(self.folder), self._trust, self._remedy)
            self._networks[weights] = Network(self._record(), best=weights == "best")
        return self._networks[weights]

    @property
    def _remedy(self) -> str:
        return f"duograd.load({str(self.folder)!r}, trust=True)"

    @cached_property
    def _networks(self) -> "dict[str, Network]":
        return {}

    def resume(self, *typed: Typed, progress: bool = True, **values: Any) -> "Run":
        """Goes on with it to the same end as if it had not been interrupted; itself, once it has finished.

        typed, values: `epochs=200` trains a finished one longer, `"data.root=DIR"` says where its data lies now.
        Raises as `duograd.run` does.
        """
        from duograd.runner.api import here
        from duograd.runner.commands.resume import resume_run

        changes = overrides(typed, values)
        if changes or self.status != "FINISHED" or self.summary.get("drawing"):
            context = here.context(progress)
            with here.training(context):
                resume_run(RunFolder(self.folder), changes, self._trust, self._remedy, context)
            self._networks.clear()
        return self.finished()

    def finished(self) -> "Run":
        """Itself. Raises RunError where it is not FINISHED."""
        if self.status != "FINISHED":
            raise RunError(f"{self.status} {self.name}: {self._record().error}", self.folder)
        return self

    def __repr__(self) -> str:
        record = self._record()
        return f"<Run {record.name}: {record.status}, {self.folder}>"

    def _repr_html_(self) -> str:
        record = self._record()
        best = record.summary.get("best") or {}
        facts: dict[str, Any] = {**record.metrics}
        if best.get("value") is not None:
            facts["best"] = f"{best['metric']} {best['value']:.6g} at epoch {best['epoch']}"
        facts |= {"error": record.error} if record.error else {}
        pictures = self.figures.first("loss_curve", "hidden_weights", "confusion_matrices", "predicted_against_true")
        return pages.card(record.name, record.status, {**facts, "folder": self.folder}, pictures)


class RunError(RuntimeError):
    """A run that failed, or a sweep none of whose runs finished. folder: with all that was reached."""

    def __init__(self, said: str, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{said} ({folder})")


def load(folder: str | PathLike[str], trust: bool = False) -> Run:
    """The run of a folder; see Run. Raises UserError where it holds none."""
    return Run(folder, trust)
