"""A finished run's network and data, restored from its folder, for pictures that need predictions."""

from dataclasses import dataclass, field

from duograd.data.dataset import DataSet
from duograd.data.errors import DataError
from duograd.runner import build
from duograd.runner.config import RunConfig
from duograd.runner.engines import Engine
from duograd.runner.errors import UserError
from duograd.runner.own.modules import is_loaded
from duograd.runner.report.records import Record
from duograd.runner.store import tensors
from duograd.runner.store.folders import RunFolder
from duograd.runner.validate import validate_plain


class MissingError(Exception):
    """What a picture needs cannot be had: the reason, in words that can stand in the report."""


@dataclass
class Restorer:
    """Restores data sets and networks of runs. Runs of one data configuration share its data set; the last is kept."""

    _kept: tuple[str, DataSet] | None = field(default=None, repr=False)

    def data(self, record: Record) -> DataSet:
        """The data set that the run saw. Raises MissingError where it cannot be had, or is not what it was."""
        config = _config(record)
        key = build.data_key(config)
        if self._kept is None or self._kept[0] != key:
            try:
                self._kept = key, build.data_set(config)
            except (DataError, OSError) as error:
                raise MissingError(str(error)) from None
        data = self._kept[1]
        if data.digest != record.identity.get("digest"):
            raise MissingError(f"the data of {record.name} is not what it was when the run began")
        return data

    def engine(self, record: Record, best: bool) -> Engine:
        """The run's network with its best weights, or its last. Raises MissingError."""
        config, data = _config(record), self.data(record)
        try:
            engine = build.engine(config, data)
            engine.set_weights(weights(record, best))
        except (UserError, KeyError, ValueError) as error:
            raise MissingError(f"{record.name}: {error}") from None
        return engine


def weights(record: Record, best: bool) -> tensors.Arrays:
    """The run's best weights, or its last, as its folder keeps them. Raises MissingError."""
    files = RunFolder(record.folder)
    path = files.best if best else files.checkpoint
    try:
        arrays, _ = tensors.read(path)
    except (UserError, OSError) as error:
        raise MissingError(f"no {path.name} to read ({error})") from None
    return {name: array for name, array in arrays.items() if not name.startswith(("best/", "optimizer/"))}


def _config(record: Record) -> RunConfig:
    hashes = [part.get("hash") for part in record.config.values() if isinstance(part, dict)]
    if not all(map(is_loaded, filter(None, hashes))):
        raise MissingError(f"{record.name} has own code, which a comparison does not import")
    try:
        return validate_plain(record.config)
    except UserError as error:
        raise MissingError(f"{record.name} was written by another duograd ({str(error).partition(';')[0]})") from None
