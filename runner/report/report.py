"""A report of runs: ranking.csv, answer.md, answer.html and figures in a folder; in short, for a terminal."""

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from duograd.runner.redaction import redact
from duograd.runner.report import charts, confusion_sheets, feature_sheets, pages, search, terminal
from duograd.runner.report.charts import Picture
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.links import mlflow_link
from duograd.runner.report.restore import Restorer
from duograd.runner.report.select import sweep_runs
from duograd.runner.report.statistics import Interval
from duograd.runner.report.summary import contrast_lines, method, notes, summarise
from duograd.runner.report.tables import Table, contrast_table, failures, ranking_csv, ranking_table
from duograd.runner.store import files

PAGE, REDIRECT = "answer.html", "mlflow.html"


@dataclass(frozen=True)
class Report:
    """What was written, and where. left_out: pictures that could not be drawn, and why."""

    folder: Path
    comparison: Comparison
    pictures: list[Path]
    left_out: list[str]
    link: str | None

    @property
    def page(self) -> Path:
        """The answer, with its pictures."""
        return self.folder / PAGE

    @property
    def redirect(self) -> Path:
        """The page that leads to the link."""
        return self.folder / REDIRECT

    def show(self, console: Console) -> None:
        """Prints the ranking, the best run's command, what failed, and where everything stands."""
        terminal.show(self, console)


def write_report(folder: Path, comparison: Comparison, link: str | None = None) -> Report:
    """Writes ranking.csv, answer.md, answer.html and figures/*.png into `folder`.

    link: a page of MLflow's that compares the runs; mlflow.html, a short name for its long address, leads there. Raises
    ValueError for a comparison of no runs.
    """
    if not comparison.records:
        raise ValueError("no records: a report needs a run at least")
    drawn = list(_pictures(comparison, folder / "figures"))
    pictures = [picture for picture in drawn if isinstance(picture, Picture)]
    left_out = [reason for reason in drawn if isinstance(reason, str)]
    trials = comparison.search
    content = {
        "title": comparison.subject,
        "summary": summarise(comparison),
        "heading": "Ranking" if comparison.contest else "Side by side",
        "notes": notes(comparison),
        "reruns": comparison.reruns,
        "ranking": ranking_table(comparison),
        "contrasts": contrast_lines(comparison),
        "contrast_tables": _contrast_tables(comparison),
        "method": method(comparison),
        "repeats": comparison.repeats,
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
        (PAGE, pages.html(content)),
        *([(REDIRECT, pages.redirect(link))] if link else []),
    ):
        files.write_bytes(folder / name, redact(text).encode())
    return Report(folder, comparison, [picture.path for picture in pictures], left_out, link)


def report_sweep(folder: Path, interval: Interval = "t") -> Report:
    """The report of a sweep, written into its own folder beside sweep.json. Raises UserError."""
    comparison = sweep_runs(folder, interval)
    return write_report(folder, comparison, mlflow_link(comparison))


def _contrast_tables(comparison: Comparison) -> list[tuple[str, Table]]:
    """By measure, where some setting has several seeds or folds."""
    by_measure = zip(comparison.measures, comparison.contrasts, strict=False)
    return [(m.name, contrast_table(comparison, c)) for m, c in by_measure if any(one.pairs > 1 for one in c)]


def _pictures(comparison: Comparison, folder: Path) -> Iterator[Picture | str]:
    """What any runs have, and what only an autoencoder or a classifier has; a string says what is left out and why."""
    restorer, best = Restorer(), comparison.best
    if comparison.search:
        yield from _kept("Charts of the search", search.charts(comparison.search, comparison, folder))
    yield from _kept("Charts", charts.charts(comparison, folder))
    if best and (best.config.get("model") or {}).get("family") == "autoencoder":
        yield from _kept("Contact sheets", feature_sheets.sheets(comparison, restorer, folder))
    if best and best.identity and any(name.endswith("/accuracy") for name in best.metrics):
        yield from _kept("Confusion matrices", confusion_sheets.sheets(comparison, restorer, folder))


def _kept(name: str, drawn: Iterator[Picture | str]) -> Iterator[Picture | str]:
    """Pictures as they are drawn. A fault of ours in one costs those after it, not the tables and the page."""
    try:
        yield from drawn
    except Exception as error:
        file, line, *_ = traceback.extract_tb(error.__traceback__)[-1]
        yield f"{name} could not all be drawn: {type(error).__name__}: {error} ({Path(file).name}:{line})"
