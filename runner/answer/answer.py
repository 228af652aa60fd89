"""The answer to a set of runs: written to a folder, and returned for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text as RichText

from duograd.runner import atomic
from duograd.runner.answer.document import document, rerun, summary
from duograd.runner.answer.drawings import Drawing, drawings
from duograd.runner.answer.html import html
from duograd.runner.answer.links import mlflow_link
from duograd.runner.answer.markdown import markdown
from duograd.runner.answer.matrices import matrices
from duograd.runner.answer.rebuild import Workshop
from duograd.runner.answer.records import Record, read_sweep
from duograd.runner.answer.search import read_search, search_drawings
from duograd.runner.answer.sheets import sheets
from duograd.runner.answer.study import Study
from duograd.runner.answer.tables import Table, ranking_csv, short_ranking
from duograd.runner.search.record import SearchRecord

MOST_LINES = 30  # of the table on a terminal; the files have all


@dataclass(frozen=True)
class Answer:
    """What was found and where it stands.

    left_out: pictures that could not be drawn, and why.
    """

    folder: Path
    study: Study
    pictures: list[Path]
    left_out: list[str]
    link: str | None

    def show(self, console: Console) -> None:
        """Prints the ranking, the best run's command, what failed, and where everything stands."""
        console.print(_rich(short_ranking(self.study)))
        for text, style in self._lines():
            console.print(RichText(text, style), soft_wrap=True)  # unbroken: commands are there to be copied

    def _lines(self) -> Iterator[tuple[str, str]]:
        """Lines of text with their styles."""
        yield summary(self.study), ""
        if self.study.best is not None:
            yield f"train the best again: {rerun(self.study)}", ""
        for record in self.study.failures:
            yield f"{record.status} {record.name}: {record.error or 'no reason known'} ({record.log})", "red"
        for reason in self.left_out:
            yield reason, "yellow"
        yield f"answer: {self.folder / 'answer.html'}", ""
        if self.link:
            yield f"compare in MLflow (duograd ui): {self.link}", ""


def write_answer(
    folder: Path,
    records: Sequence[Record],
    *,
    title: str,
    swept: Mapping[str, Sequence[Any]] | None = None,
    command: str = "",
    link: str | None = None,
    search: SearchRecord | None = None,
) -> Answer:
    """Writes ranking.csv, answer.md, answer.html and figures/*.png into `folder`.

    records: runs of one task, at least one. swept: the swept keys with their values in the order in which they were
    typed; None finds what differs. command: what started it all. link: a page of MLflow's that compares the runs.
    search: where the runs are trials of one. Raises ValueError for no records.
    """
    if not records:
        raise ValueError("no records: an answer needs a run at least")
    study = Study(title, records, swept or {})
    found = [
        *(search_drawings(search, study, folder / "figures") if search else []),
        *_pictures(study, folder / "figures"),
    ]
    pictures = [picture for picture in found if isinstance(picture, Drawing)]
    left_out = [reason for reason in found if isinstance(reason, str)]
    page = document(study, pictures, left_out, command, link, search)
    for name, content in (
        ("ranking.csv", ranking_csv(study)),
        ("answer.md", markdown(page, folder)),
        ("answer.html", html(page)),
    ):
        atomic.write_bytes(folder / name, content.encode())
    return Answer(folder, study, [picture.path for picture in pictures], left_out, link)


def answer_sweep(folder: Path) -> Answer:
    """The answer of a sweep, written into its own folder beside sweep.json. Raises UserError."""
    sweep = read_sweep(folder)
    link = mlflow_link(sweep.records, sweep.parent_run_id)
    return write_answer(
        folder,
        sweep.records,
        title=sweep.name,
        swept=sweep.swept,
        command=sweep.command,
        link=link,
        search=read_search(folder),
    )


def _pictures(study: Study, folder: Path) -> Iterator[Drawing | str]:
    """What any runs have, and what only an autoencoder or a classifier has; a string says what is left out and why."""
    yield from drawings(study, folder)
    if study.best is None:
        return
    workshop = Workshop()
    if study.best.config.get("model", {}).get("family") == "autoencoder":
        yield from sheets(study, workshop, folder)
    if any(name.endswith("/accuracy") for name in study.best.metrics):
        yield matrices(study, workshop, folder)


def _rich(table: Table) -> RichTable:
    drawn = RichTable(box=None, padding=(0, 2, 0, 0))
    for head, numeric in zip(table.heads, table.numeric, strict=True):
        drawn.add_column(escape(head), justify="right" if numeric else "left")
    for row in table.rows[:MOST_LINES]:
        drawn.add_row(*map(escape, row), style="bold" if row[0] == "1" else None)
    if len(table.rows) > MOST_LINES:
        drawn.caption = f"the first {MOST_LINES} of {len(table.rows)}: the rest stands in ranking.csv"
    return drawn
