"""The mirror: brings run folders up to date in MLflow, idempotently.

What was logged already, the store is asked when a folder is attached; so neither a kill between two writes nor a lost
`mlflow.json` logs anything twice.
"""

from pathlib import Path

from duograd.runner.tracking import address, description
from duograd.runner.tracking.database import connect, one_line_errors, require_same_file
from duograd.runner.tracking.mlflow_api import MlflowException
from duograd.runner.tracking.reader import Reader
from duograd.runner.tracking.remote import RemoteRun, open_run
from duograd.runner.tracking.run import Mirrored, RunMirror

PARAMETERS_PER_CALL = 100  # MLflow's limit


class Mirror:
    """Mirrors any number of run folders; without `uri` each goes where its config.yaml says (`tracking.uri`).

    One process at a time may mirror a folder: hold `locks.MIRROR` in it. A live mirror gives `since`, when training
    went on (Unix s): the epochs of a resumed run are then not spread over the time in which nobody trained.
    named_by_user: whether the address is, and not only by a folder.
    """

    def __init__(self, uri: str | None = None, since: float = 0.0, named_by_user: bool = True) -> None:
        self._uri, self._named_by_user = uri, named_by_user
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
        with one_line_errors(run.remote.uri):
            require_same_file(run.remote.uri)
            mirrored = run.update(alive)
        self._runs[run_dir] = run
        return mirrored

    def _attach(self, run_dir: Path, parent: str | None) -> RunMirror:
        reader = Reader(run_dir)
        uri = address.resolve(self._uri or reader.tracking("uri"), Path.cwd())
        experiment = str(reader.tracking("experiment") or reader.identity["task"])
        with one_line_errors(uri):
            tags = description.tags(reader, parent)
            remote = open_run(connect(uri, self._named_by_user), uri, run_dir, experiment, tags, reader.started())
            _describe(remote, reader, parent)
            return RunMirror(remote, reader, self._since)


def _describe(remote: RemoteRun, reader: Reader, parent: str | None) -> None:
    """Logs what the run lacks of its parameters, data set and parent."""
    if parent:
        remote.tag(description.PARENT_TAG, parent)
    if not remote.run.inputs or not remote.run.inputs.dataset_inputs:
        _log_data_set(remote, reader)
    _log_parameters(remote, reader)


def _log_data_set(remote: RemoteRun, reader: Reader) -> None:
    """MLflow looks for the data set and adds what it lacks; another run of the same data may add it in between."""
    data_set = description.data_set(reader)
    try:
        remote.client.log_inputs(remote.id, [data_set])
    except MlflowException:
        remote.client.log_inputs(remote.id, [data_set])  # which finds it now, or says what else is wrong


def _log_parameters(remote: RemoteRun, reader: Reader) -> None:
    """MLflow never changes a parameter: what a resume changed (`epochs`) becomes a tag, `resumed.epochs`."""
    logged, parameters = remote.run.data.params, description.parameters(reader)
    missing = [parameter for parameter in parameters if parameter.key not in logged]
    for start in range(0, len(missing), PARAMETERS_PER_CALL):
        remote.client.log_batch(remote.id, params=missing[start : start + PARAMETERS_PER_CALL], synchronous=True)
    for parameter in parameters:
        if logged.get(parameter.key, parameter.value) != parameter.value:
            remote.tag(f"{description.RESUMED_TAG}{parameter.key}", parameter.value)
