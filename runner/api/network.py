"""A finished run's network, asked about new samples.

Legend: N samples, C classes, V values, I inputs.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from duograd.data.dataset import DataSet, require_finite
from duograd.data.errors import DataError
from duograd.runner.errors import UserError
from duograd.runner.report.records import Record
from duograd.runner.report.restore import MissingError, Restorer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from pandas import DataFrame


class Network:
    """The network of a run with its best weights, or its last, and its data. Raises UserError where these are gone."""

    def __init__(self, record: Record, best: bool) -> None:
        restorer = Restorer()
        try:
            self._engine = restorer.engine(record, best)
            self.data: DataSet = restorer.data(record)
        except MissingError as error:
            raise UserError(str(error)) from None
        self._rows = record.config.get("eval_batch_size")

    def outputs(self, x: "ArrayLike | DataFrame") -> NDArray[Any]:
        """What the network says of samples (N, …), in batches. Raises UserError where they do not fit."""
        inputs = self._prepared(x)
        rows = self._rows or len(inputs)
        parts = [self._engine.predict(inputs[start : start + rows]) for start in range(0, len(inputs), rows)]
        return np.concatenate(parts)

    def answers(self, x: "ArrayLike | DataFrame") -> NDArray[Any]:
        """The same for people: names of classes (N,), values (N, V) in their own units, or reconstructions (N, I)."""
        outputs = self.outputs(x)
        if self.data.classes:
            names: NDArray[Any] = np.array(self.data.classes)[outputs.argmax(axis=1)]
            return names
        if self.data.scales:
            mean, std = np.array(self.data.scales).T
            values: NDArray[Any] = outputs * std + mean
            return values
        return outputs

    def _prepared(self, x: "ArrayLike | DataFrame") -> NDArray[Any]:
        """Samples as the network gets them, (N, …)."""
        train = self.data.train
        dtype, shape = train.batch(slice(1)).inputs.dtype, train.inputs.shape[1:]
        try:
            samples = x if self.data.prepare is None else self.data.prepare(x)
        except DataError as error:
            raise UserError(str(error)) from None
        samples = np.asarray(samples)
        if samples.shape[1:] != shape or not len(samples):
            raise UserError(f"x has shape {samples.shape}: give samples (N, {', '.join(map(str, shape))})")
        if train.normalise is not None:
            samples = train.normalise(samples)
        with np.errstate(over="ignore"):  # what is infinite then is refused
            inputs = np.ascontiguousarray(samples, dtype)
        try:
            require_finite(inputs, "x")
        except DataError as error:
            raise UserError(str(error)) from None
        return inputs
