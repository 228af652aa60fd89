"""Tables of jobs that fit a screen: columns that find no room are left out whole, the least important first."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from duograd.runner.store.overrides import by_key, short_names
from duograd.runner.store.records import JobRecord

STYLES = {
    "FINISHED": "green",
    "FAILED": "red",
    "KILLED": "yellow",
    "PRUNED": "blue",
    "RUNNING": "bold",
    "PENDING": "dim",
}
LONGEST = 30  # characters of a value: of a path its end tells more
GAP = 2
JOB, VALUE, SWEPT, STATE, EPOCH, LEFT, RATE = range(7)


class Column(NamedTuple):
    """rank: the columns of the highest rank are the first to be left out, of one rank the last."""

    head: str
    cells: list[str]
    rank: int


def job_columns(jobs: Sequence[JobRecord]) -> list[Column]:
    """The number of each job, the values that the sweep gave it, and its state."""
    swept = [by_key(job.overrides) for job in jobs]
    names = short_names(list(dict.fromkeys(key for values in swept for key in values)))
    return [
        Column("job", [str(job.number) for job in jobs], JOB),
        *(Column(name, [_short(values.get(key, "–")) for values in swept], SWEPT) for key, name in names.items()),
        Column("state", [job.status for job in jobs], STATE),
    ]


def job_table(columns: Sequence[Column], width: int) -> Table:
    """The columns that find room in a screen of that width, drawn."""
    kept = fit(columns, width)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for column in kept:
        table.add_column(Text(column.head), no_wrap=True, overflow="fold")
    for cells in zip(*(column.cells for column in kept), strict=True):
        table.add_row(*(Text(cell, STYLES.get(cell, "")) for cell in cells))
    return table


def fit(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns that find room, the least important left out."""
    kept = [column for column in columns if any(column.cells)]
    while len(kept) > 1 and sum(_width(column) + GAP for column in kept) > width:
        kept.remove(max(reversed(kept), key=lambda column: column.rank))
    return kept


def heads_left_out(columns: Sequence[Column], width: int) -> list[str]:
    """The heads of what found no room, where there was something to show."""
    kept = {column.head for column in fit(columns, width)}
    return [column.head for column in columns if any(column.cells) and column.head not in kept]


def _width(column: Column) -> int:
    return max(map(cell_len, [column.head, *column.cells]))


def _short(value: str) -> str:
    return value if len(value) <= LONGEST else "…" + value[1 - LONGEST :]


def counts(jobs: Sequence[JobRecord], names: Mapping[str, str]) -> str:
    """`12 finished, 1 failed, 21 waiting`: how many there are of each status, by the word for it."""
    numbers = {word: sum(job.status == status for job in jobs) for status, word in names.items()}
    return ", ".join(f"{number} {word}" for word, number in numbers.items() if number)
