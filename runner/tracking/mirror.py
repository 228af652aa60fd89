"""The mirror: brings run folders up to date in MLflow, idempotently.

What was logged already, the store is asked when a folder is attached; so neither a kill between two writes nor a lost
`mlflow.json` logs anything twice.
"""

from pathlib import Path

from duograd.runner.tracking import address
from duograd.runner.tracking.attach import attach
from duograd.runner.tracking.reader import Reader
from duograd.runner.tracking.run import Mirrored, RunMirror
from duograd.runner.tracking.store import connect, told


class Mirror:
    """Mirrors any number of run folders; without `uri` each goes where its config.yaml says (`tracking.uri`).

    One process at a time may mirror a folder: hold `locks.MIRROR` in it. A live mirror gives `since`, when training
    went on (Unix s): the epochs of a resumed run are then not spread over the time in which nobody trained.
    """

    def __init__(self, uri: str | None = None, since: float = 0.0) -> None:
        self._uri = uri
        self._since = since
        self._runs: dict[Path, RunMirror] = {}

    def update(self, run_dir: Path, parent: str | None = None, alive: bool = True) -> Mirrored:
        """Bring `run_dir` up to date; `parent`, heard at its first update, is the MLflow id of the run it hangs under.

        `alive=False` says that nobody trains there: a folder without summary.json is then a KILLED run.
        Raises UserError for what is not a run folder, TrackingError (one line) for everything that MLflow refuses.
        """
        run_dir = Path(run_dir)
        # after a failure of any kind the run is attached anew: what the store has then is what it says it has
        run = self._runs.pop(run_dir, None) or self._attach(run_dir, parent)
        with told(run.uri):
            mirrored = run.update(alive)
        self._runs[run_dir] = run
        return mirrored

    def _attach(self, run_dir: Path, parent: str | None) -> RunMirror:
        reader = Reader(run_dir)
        uri = address.resolve(self._uri or reader.tracking("uri"), Path.cwd())
        with told(uri):
            return attach(connect(uri), uri, reader, parent, self._since)
