"""A report in a terminal's words: tables that fit its width, sentences, and where everything stands."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text

from duograd.runner.report.summary import contrast_lines, notes, summarise
from duograd.runner.report.tables import Column, Table, short_ranking

if TYPE_CHECKING:
    from duograd.runner.report.report import Report

MOST_LINES = 30  # of the table on a terminal; the files have all
GAP = 2  # characters between columns


def show(report: "Report", console: Console) -> None:
    """Prints the ranking, the best run's command, what failed, and where everything stands."""
    table = short_ranking(report.comparison)
    for number, part in enumerate(fit(table, console.width)):
        if number:
            console.print()
        console.print(_rich(part))
    if len(table.rows) > MOST_LINES:
        console.print(f"the first {MOST_LINES} of {len(table.rows)}: the rest stands in ranking.csv", style="dim")
    for text, style in _lines(report):
        console.print(Text(text, style), soft_wrap=True)  # unbroken: commands are there to be copied


def fit(table: Table, width: int) -> list[Table]:
    """The columns in as many tables as it takes for nothing to be cut; each begins with what names the rows."""
    naming = [column for column in table.columns if column.naming]
    if _width(naming) > width // 2:
        naming = naming[:1]
    tables: list[list[Column]] = [[]]
    for column in table.columns:
        if tables[-1] and _width([*tables[-1], column]) > width:
            tables.append([c for c in naming if _width([*naming, column]) <= width])
        tables[-1].append(column)
    return [Table(columns) for columns in tables]


def _width(columns: list[Column]) -> int:
    return sum(max(map(cell_len, [column.head, *column.cells[:MOST_LINES]])) + GAP for column in columns) - GAP


def _rich(table: Table) -> RichTable:
    drawn = RichTable(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for column in table.columns:
        drawn.add_column(escape(column.head), justify="right" if column.numeric else "left", overflow="fold")
    for row in table.rows[:MOST_LINES]:
        first = table.columns[0].head == "#" and row[0] == "1"
        drawn.add_row(*map(escape, row), style="bold" if first else None)
    return drawn


def _lines(report: "Report") -> Iterator[tuple[str, str]]:
    """Lines of text with their styles."""
    comparison = report.comparison
    yield summarise(comparison), ""
    for line in contrast_lines(comparison):
        yield line, "yellow" if comparison.unreplicated else ""
    for command in comparison.repeats:
        yield f"train more seeds: {command}", ""
    for note in notes(comparison):
        yield note, "yellow"
    for command in comparison.reruns:
        yield f"train the best again: {command}", ""
    for record in comparison.failures:
        yield f"{record.status} {record.name}: {record.error or 'no reason known'} ({record.log})", "red"
    for reason in report.left_out:
        yield reason, "yellow"
    if report.page.exists():  # of a sweep without an answer, there is none
        yield f"answer: {report.page}", ""
    if report.link and report.redirect.exists():
        yield f"compare in MLflow (duograd ui): {report.redirect}", f"link {report.link}"
