"""An answer as a list of blocks, which `markdown` and `html` write down."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from duograd.runner.answer.drawings import Drawing
from duograd.runner.answer.search import importances, search_summary
from duograd.runner.answer.study import Study
from duograd.runner.answer.tables import Table, ranking_table
from duograd.runner.folder import RunFolder
from duograd.runner.search.record import SearchRecord


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Link:
    """before: words that lead to the link."""

    before: str
    text: str
    address: str


@dataclass(frozen=True)
class Code:
    """A command to be copied."""

    text: str


@dataclass(frozen=True)
class Picture:
    path: Path
    caption: str


Block = Heading | Text | Link | Code | Picture | Table


@dataclass(frozen=True)
class Document:
    title: str
    blocks: list[Block]


def document(
    study: Study,
    pictures: Sequence[Drawing],
    left_out: Sequence[str],
    command: str,
    link: str | None,
    search: SearchRecord | None = None,
) -> Document:
    """The whole answer: what won, the table, the pictures, what failed, and how to go on."""
    blocks: list[Block] = [Text(summary(study))]
    if study.best is not None:
        blocks += [Text("To train the best run again:"), Code(rerun(study))]
    blocks += [Heading("Ranking"), ranking_table(study)]
    if search:
        blocks += searched(search)
    if study.failures:
        blocks += [Heading("Not finished"), failures(study)]
    blocks += [Heading("Pictures"), *(Picture(picture.path, picture.caption) for picture in pictures)]
    blocks += [Text(reason) for reason in left_out]
    blocks.append(Heading("Where this comes from"))
    blocks += [Text(f"{study.footer}."), *([Code(command)] if command else [])]
    if link:
        blocks.append(Link("In MLflow (start it with `duograd ui`):", "compare the runs", link))
    return Document(study.title, blocks)


def searched(search: SearchRecord) -> list[Block]:
    """How a search went, and which parameters mattered where that can be told."""
    table = importances(search)
    return [Heading("Search"), Text(search_summary(search)), *([table] if table else [])]


def summary(study: Study) -> str:
    """The answer in a sentence."""
    runs = f"{len(study.records)} run{'' if len(study.records) == 1 else 's'}"
    finished = sum(record.status == "FINISHED" for record in study.records)
    head = f"{runs}, {'all' if finished == len(study.records) else finished} finished."
    first = study.standings[0] if study.standings else None
    if first is None or first.place is None:
        return f"{head} None has a value of {study.measure.metric} to be ranked by."
    spread = f" ± {first.deviation:.2g}" if first.deviation == first.deviation else ""
    direction = "highest" if study.measure.rises else "lowest"
    return f"{head} Best is {first.setting.label}: {study.measure.metric} {first.mean:.4g}{spread}, the {direction}."


def rerun(study: Study) -> str:
    """The command that trains the best run again."""
    assert study.best is not None
    return str(study.best.identity.get("command", ""))


def failures(study: Study) -> Table:
    """Runs that did not come to their end: why, and where to read more."""
    rows = [
        [record.name, record.status, record.error or "", str(record.log or RunFolder(record.folder).log)]
        for record in study.failures
    ]
    return Table(["run", "status", "error", "log"], rows, [False] * 4)
