"""A report of runs: ranking.csv, answer.md, answer.html and figures in a folder; in short, for a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text

from duograd.runner.report import charts, confusion_sheets, feature_sheets, pages, search
from duograd.runner.report.charts import Picture
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.links import mlflow_link
from duograd.runner.report.restore import Restorer
from duograd.runner.report.select import sweep_runs
from duograd.runner.report.tables import Table, failures, ranking_csv, ranking_table, short_ranking
from duograd.runner.store import files
from duograd.runner.store.records import SearchRecord

MOST_LINES = 30  # of the table on a terminal; the files have all


@dataclass(frozen=True)
class Report:
    """What was written, and where. left_out: pictures that could not be drawn, and why."""

    folder: Path
    comparison: Comparison
    pictures: list[Path]
    left_out: list[str]
    link: str | None

    def show(self, console: Console) -> None:
        """Prints the ranking, the best run's command, what failed, and where everything stands."""
        console.print(_rich(short_ranking(self.comparison)))
        for text, style in self._lines():
            console.print(Text(text, style), soft_wrap=True)  # unbroken: commands are there to be copied

    def _lines(self) -> Iterator[tuple[str, str]]:
        """Lines of text with their styles."""
        yield self.comparison.summary, ""
        if self.comparison.best is not None:
            yield f"train the best again: {self.comparison.best.command}", ""
        for record in self.comparison.failures:
            yield f"{record.status} {record.name}: {record.error or 'no reason known'} ({record.log})", "red"
        for reason in self.left_out:
            yield reason, "yellow"
        yield f"answer: {self.folder / 'answer.html'}", ""
        if self.link:
            yield f"compare in MLflow (duograd ui): {self.link}", ""


def write_report(
    folder: Path, comparison: Comparison, link: str | None = None, trials: SearchRecord | None = None
) -> Report:
    """Writes ranking.csv, answer.md, answer.html and figures/*.png into `folder`.

    link: a page of MLflow's that compares the runs. trials: where the runs are those of a search. Raises ValueError
    for a comparison of no runs.
    """
    if not comparison.records:
        raise ValueError("no records: a report needs a run at least")
    drawn = list(_pictures(comparison, trials, folder / "figures"))
    pictures = [picture for picture in drawn if isinstance(picture, Picture)]
    left_out = [reason for reason in drawn if isinstance(reason, str)]
    content = {
        "title": comparison.title,
        "summary": comparison.summary,
        "rerun": comparison.best and comparison.best.command,
        "ranking": ranking_table(comparison),
        "search": trials and search.summary(trials),
        "importances": trials and search.importances(trials),
        "failures": failures(comparison) if comparison.failures else None,
        "pictures": pictures,
        "left_out": left_out,
        "footer": comparison.footer,
        "command": comparison.command,
        "link": link,
    }
    for name, text in (
        ("ranking.csv", ranking_csv(comparison)),
        ("answer.md", pages.markdown(content, folder)),
        ("answer.html", pages.html(content)),
    ):
        files.write_bytes(folder / name, text.encode())
    return Report(folder, comparison, [picture.path for picture in pictures], left_out, link)


def report_sweep(folder: Path) -> Report:
    """The report of a sweep, written into its own folder beside sweep.json. Raises UserError."""
    comparison = sweep_runs(folder)
    return write_report(folder, comparison, mlflow_link(comparison), search.read_search(folder))


def _pictures(comparison: Comparison, trials: SearchRecord | None, folder: Path) -> Iterator[Picture | str]:
    """What any runs have, and what only an autoencoder or a classifier has; a string says what is left out and why."""
    if trials:
        yield from search.charts(trials, comparison, folder)
    yield from charts.charts(comparison, folder)
    if comparison.best is None:
        return
    restorer = Restorer()
    if comparison.best.config.get("model", {}).get("family") == "autoencoder":
        yield from feature_sheets.sheets(comparison, restorer, folder)
    if any(name.endswith("/accuracy") for name in comparison.best.metrics):
        yield confusion_sheets.sheet(comparison, restorer, folder)


def _rich(table: Table) -> RichTable:
    drawn = RichTable(box=None, padding=(0, 2, 0, 0))
    for column in table.columns:
        drawn.add_column(escape(column.head), justify="right" if column.numeric else "left")
    for row in table.rows[:MOST_LINES]:
        drawn.add_row(*map(escape, row), style="bold" if row[0] == "1" else None)
    if len(table.rows) > MOST_LINES:
        drawn.caption = f"the first {MOST_LINES} of {len(table.rows)}: the rest stands in ranking.csv"
    return drawn
