"""Tables of columns with names, out of CSV, TSV and Parquet files, by pandas; each fault becomes one line."""

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from duograd.data.dataset import Array
from duograd.data.errors import DataError, did_you_mean, reason
from duograd.data.formats.csv import encoding_of, separator_of
from duograd.data.pasting import override

if TYPE_CHECKING:
    import pandas as pd

TEXT = (".csv", ".tsv", ".tab")
PARQUET = (".parquet", ".pq")
MOST_WORDS = 50  # different ones that a column may hold: each becomes an input of its own
HEAD = 1 << 16  # bytes that tell how a text is written
DECORATION = re.compile(r"[\s,'_%$€£¥]")  # of numbers
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]|$)")


def read_frame(path: Path) -> "pd.DataFrame":
    """The table of a file. Raises DataError where it is missing, damaged, empty, of another kind, or names collide."""
    import pandas as pd

    if not path.is_file():
        raise DataError(
            f"data.path={path} {'is no file' if path.exists() else 'does not exist'}: give .csv, .tsv or .parquet"
        )
    ending = path.suffix.lower()
    if ending not in TEXT and ending not in PARQUET:
        raise DataError(
            f"data.path={path} is of no kind that is read here: give .csv, .tsv or .parquet, or use data=arrays"
        )
    try:
        frame = pd.read_parquet(path) if ending in PARQUET else _read_text(path)
    except ImportError as error:
        raise DataError(f"{path}: Parquet files need pyarrow, which is not installed: pip install pyarrow") from error
    except (ValueError, OSError, pd.errors.ParserWarning) as error:  # ParserError is a ValueError
        raise DataError(f"{path} cannot be read ({reason(error)}): save it again, in UTF-8") from error
    frame.columns = frame.columns.map(str)
    if not len(frame):
        raise DataError(f"{path} has no rows: give a table with samples")
    return frame


def _read_text(path: Path) -> "pd.DataFrame":
    """The table of a text file, whichever program wrote it. A row with more values than the header names is an error,
    not cut in silence."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(path, **_dialect(path), index_col=False, na_values=["?"])


def _dialect(path: Path) -> dict[str, Any]:
    """How its first lines are written: the encoding, what parts columns, and what parts decimals."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    encoding = encoding_of(head)
    text = head.decode(encoding, "replace")
    separator = separator_of(text.splitlines()[0] if text else "")
    comma = separator != "," and re.search(r"\d,\d", text) and not re.search(r"\d\.\d", text)
    return {"encoding": encoding, "sep": separator, "decimal": "," if comma else "."}


def find_column(frame: "pd.DataFrame", key: str, name: str) -> str:
    """The name, where a column bears it; `key` of the configuration asks. Raises DataError."""
    known = list(frame.columns)
    if name not in known:
        more = ", …" if len(known) > 12 else ""
        hint = did_you_mean(name, known)
        raise DataError(f"data.{key}={name} is no column: {hint}there are {', '.join(known[:12])}{more}")
    return name


def column_values(frame: "pd.DataFrame", name: str, drop: Sequence[str] | None = None) -> Array:
    """A column's numbers, truth values or words (N,). Raises DataError where one is missing, or they are dates.

    drop: the columns that are left out, to which this one can be added; None where it is needed.
    """
    from pandas.api import types

    column, leave = frame[name], None if drop is None else override("data.drop", [*drop, name])
    missing = np.flatnonzero(column.isna())
    if len(missing):
        more = f", one of {len(missing)}" if len(missing) > 1 else ""
        raise DataError(
            f"row {missing[0] + 1}, column '{name}' is missing (NaN){more}: fill it, or remove the row"
            f"{f', or use {leave}' if leave else ''}"
        )
    if types.is_bool_dtype(column):
        return np.asarray(column, bool)
    if types.is_numeric_dtype(column) and not types.is_complex_dtype(column):
        return np.asarray(column, np.int64 if types.is_integer_dtype(column) else np.float64)
    words = np.asarray(column.astype(str), np.str_)
    if types.is_datetime64_any_dtype(column) or all(DATE.match(word) for word in words.tolist()):
        remedy = f"leave it out, {leave}" if leave else "name another column"
        raise DataError(f"column '{name}' holds dates such as {words[0]}: {remedy}")
    if all(map(_is_number, words.tolist())):
        raise DataError(f"column '{name}' holds numbers written as words such as '{words[0]}': write them plainly")
    return words


def _is_number(word: str) -> bool:
    """`1,000`, `$5`, `5 %`."""
    try:
        return bool(re.search(r"\d", word)) and float(DECORATION.sub("", word)) is not None
    except ValueError:
        return False


def numbers(frame: "pd.DataFrame", names: Sequence[str], drop: Sequence[str]) -> tuple[Array, tuple[str, ...]]:
    """The columns as inputs (N, I), and the column of each input: words become an input each, 1 where the row has it.

    drop: the columns that are left out.
    Raises DataError where a value is missing or infinite, or a column holds dates or too many words.
    """
    inputs, columns = [], []
    for name in names:
        values, leave = column_values(frame, name, drop), override("data.drop", [*drop, name])
        block = _one_hot(name, values, leave) if values.dtype.kind == "U" else values.astype(np.float64)[:, None]
        infinite = np.flatnonzero(~np.isfinite(block[:, 0]))
        if len(infinite):
            raise DataError(f"row {infinite[0] + 1}, column '{name}' is infinite: repair it, or {leave}")
        inputs.append(block)
        columns += [name] * block.shape[1]
    return np.concatenate(inputs, axis=1), tuple(columns)


def _one_hot(name: str, words: Array, leave: str) -> Array:
    different, index = np.unique(words, return_inverse=True)
    if len(different) > MOST_WORDS:
        raise DataError(f"column '{name}' holds {len(different)} different words: leave it out, {leave}")
    return np.eye(len(different))[index]


def known_words(frame: "pd.DataFrame", names: Sequence[str]) -> dict[str, Array | None]:
    """By column the different words that it holds, in the order of their inputs; None of a column of numbers."""
    values = {name: column_values(frame, name) for name in names}
    return {name: np.unique(column) if column.dtype.kind == "U" else None for name, column in values.items()}


def encode(words: Mapping[str, Array | None], samples: Any) -> Array:
    """New samples as inputs (N, I) by what `known_words` gave: a table with those columns, or inputs already.

    Raises DataError where a column is missing, or holds a word that is not known.
    """
    if not hasattr(samples, "columns"):
        return np.asarray(samples)
    if missing := [name for name in words if name not in samples.columns]:
        raise DataError(f"the table has no column '{missing[0]}', which was learned from: give {', '.join(words)}")
    return np.concatenate([_encoded(samples, name, known) for name, known in words.items()], axis=1)


def _encoded(frame: "pd.DataFrame", name: str, known: Array | None) -> Array:
    values = column_values(frame, name)
    if known is None and values.dtype.kind != "U":
        return values.astype(np.float64)[:, None]
    strange = values if known is None else values[~np.isin(values, known)]
    if len(strange):
        there = "numbers" if known is None else ", ".join(map(str, known.tolist()))
        raise DataError(f"column '{name}' holds '{strange[0]}', which was not learned from: known are {there}")
    one_hot: Array = (values[:, None] == known).astype(np.float64)
    return one_hot
