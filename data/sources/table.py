"""A table of one's own, a row a sample: one column is to be learned from the others."""

from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from duograd.data.dataset import Array, DataSet
from duograd.data.errors import DataError
from duograd.data.formats.files import user_path
from duograd.data.given import given_splits
from duograd.data.source import UNSET, Source, required
from duograd.data.table import OwnTableConfig, Table, table_dataset
from duograd.data.targets import read_targets


class TableFile(OwnTableConfig):
    """A CSV, TSV or Parquet file. target: the column that is learned. drop: columns that are left out.

    groups: the column that says whose a row is, so that nobody is in two splits; null splits by rows. It is no input.
    """

    name: Literal["table"] = "table"
    path: Annotated[str, required("data=table needs data.path=FILE, a .csv, .tsv or .parquet file")] = UNSET
    target: Annotated[str, required("data=table needs data.target=COLUMN, which is to be learned")] = UNSET
    groups: str | None = None
    drop: list[str] = Field(default_factory=list)

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """The table. Raises DataError where a column is not there, or holds what no network learns from."""
        from duograd.data.formats.frames import column_values, encode, find_column, known_words, numbers, read_frame

        path = user_path(self.path)
        frame = read_frame(path)
        apart = [find_column(frame, "target", self.target)]
        apart += [find_column(frame, "groups", self.groups)] if self.groups is not None else []
        apart += [find_column(frame, "split", self.split)] if self.split is not None else []
        apart += [find_column(frame, "drop", name) for name in self.drop]
        names = [name for name in frame.columns if name not in apart]
        if not names:
            raise DataError(f"{path} has no column to learn from beside {', '.join(dict.fromkeys(apart))}: give more")
        try:
            inputs, columns = numbers(frame, names, self.drop)
            people = None if self.groups is None else column_values(frame, self.groups)
            given = self._given(column_values(frame, self.split)) if self.split is not None else None
            targets = read_targets(column_values(frame, self.target), [self.target], self.target_kind)
        except DataError as error:
            raise DataError(f"{path.name}: {error}") from error
        source = f"{path.name}, {self.target} to be learned"
        words = known_words(frame, names)
        return table_dataset(
            self, Table(source, inputs, columns, targets, people, given, encode=partial(encode, words)), dtype
        )

    def _given(self, words: Array) -> Array:
        return given_splits(words, f"column '{self.split}'")


SOURCE = Source(config=TableFile, inputs="vectors", targets="either")
