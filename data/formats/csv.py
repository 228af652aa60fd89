"""Columns of numbers out of CSV text, at the speed of NumPy's parser; each fault named by file, line and column.

Legend: R rows, U columns asked for.
"""

import codecs
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from duograd.data.errors import DataError, did_you_mean

UTF8 = "utf-8-sig"
Numbers = NDArray[np.float64]


def read_columns(text: bytes, name: str, columns: Sequence[str]) -> Numbers:
    """The `columns` (R, U), in that order, of CSV text whose first line names them; `name` is how errors call it.

    Raises DataError where a column is missing, there is no row, or a row has too few or too many values, or one
    asked for that is no finite number. Only when something is wrong are lines read one by one, to find which.
    """
    head, _, body = _comma_separated(text).partition(b"\n")
    header = [cell.strip() for cell in head.decode("utf-8", "replace").split(",")]
    places = [_place(column, header, name) for column in columns]
    if not body.strip():
        raise DataError(f"{name} has no rows: give a recording, or remove the file")
    try:
        values = np.loadtxt(io.BytesIO(body), delimiter=",", usecols=places, ndmin=2, comments=None)
        fault = None
    except (ValueError, IndexError) as error:
        fault = error
    if fault or body.count(b",") != len(values) * (len(header) - 1) or not np.isfinite(values).all():
        raise _find_fault(body, name, header, places) or DataError(f"{name} cannot be read as CSV ({fault}): repair it")
    return values


def _comma_separated(text: bytes) -> bytes:
    """UTF-8 with commas, points and line feeds, and without quotes, whichever program wrote it: values are numbers."""
    if (encoding := encoding_of(text)) != UTF8:
        text = text.decode(encoding, "replace").encode()
    text = text.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b'"', b"")
    separator = separator_of(text.partition(b"\n")[0].decode("utf-8", "replace")).encode()
    return text if separator == b"," else text.replace(b",", b".").replace(separator, b",")


def encoding_of(text: bytes) -> str:
    """Of a text, by its first bytes: UTF-16, else UTF-8."""
    if b"\0" in text[:2] or text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-be" if text.startswith(b"\0") else "utf-16"
    return UTF8


def separator_of(header: str) -> str:
    """What parts the columns that the first line names."""
    return max(";", "\t", "|", ",", key=header.count)


def _place(column: str, header: list[str], name: str) -> int:
    if column not in header:
        there = ", ".join(cell for cell in header if cell)
        raise DataError(f"{name} has no column '{column}': {did_you_mean(column, header)}it has {there}")
    return header.index(column)


def _find_fault(body: bytes, name: str, header: list[str], places: list[int]) -> DataError | None:
    """The first line that cannot be used."""
    for number, line in enumerate(body.decode("utf-8", "replace").splitlines(), start=2):
        cells = line.split(",")
        if not line.strip():
            continue
        if len(cells) != len(header):
            return DataError(f"{name} line {number} has {len(cells)} values, expected {len(header)}: {REMEDY}")
        for place in places:
            if not _is_finite(cells[place]):
                what = f"has '{cells[place].strip()}' as {header[place]}, not a finite number"
                return DataError(f"{name} line {number} {what}: {REMEDY}")
    return None


REMEDY = "repair or remove that line"


def _is_finite(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False
