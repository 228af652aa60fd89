"""The page of what was made again: published numbers beside ours, study by study, with pictures and commands."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from duograd.runner.display import counted
from duograd.runner.gradcheck.layers import layer_checks
from duograd.runner.redaction import redact
from duograd.runner.report import pages
from duograd.runner.report.contrasts import UNDECIDED
from duograd.runner.report.records import Record, read_sweep
from duograd.runner.report.tables import NOTHING, Column, Table
from duograd.runner.reproduce.errata import errata_table
from duograd.runner.reproduce.outcome import (
    AGREEMENT,
    AGREES,
    NOT_RUN,
    OURS,
    findings_table,
    leaves_bounds,
    published_table,
)
from duograd.runner.reproduce.pictures import pictures
from duograd.runner.reproduce.settings import settings_tables
from duograd.runner.reproduce.study import Reproduction, left_out
from duograd.runner.reproduce.there import data_overrides
from duograd.runner.store import files
from duograd.runner.store.folders import SWEEP

TEMPLATE = "reproduction.jinja"
TITLE = "The report, made again"
INTRODUCTION = [
    "Every figure and table of the course report, from its own settings, beside what it published. Ours is the mean "
    "over n seeds, with Student's 95 % interval; a published number agrees where ours is within the stated tolerance, "
    "and is not to be told apart where only the interval holds it: more seeds would tell.",
    "The test set is used once, after the last update: a row that chose on it in the report says so.",
    "Tables are read after the last update. A training curve shows each epoch as it was trained, before its update or "
    "as the mean over its batches, so that it ends a little beside the table.",
]
UNBOUNDED = "Student's interval knows nothing of bounds: of few seeds it may leave 0 to 100 %. Pictures cut it there."
AGAINST_EXACT = (
    "Each gradient of the report's is set against the exact one over common seeds; what is measured is always the "
    "right loss. Better and worse: where Student's paired test says so, corrected (Holm) for all rows of the table."
)
QUICK = "This is the quick form: small data, a few epochs. It shows that every row can be made, not what it comes to."


def write_page(made: Reproduction, out: Path) -> Path:
    """Writes README.md, index.html and figures/ of the studies; the HTML page."""
    out.mkdir(parents=True, exist_ok=True)
    sections = [_section(name, made, out) for name in made.studies]
    tables = [table for section in sections for table in section["tables"]]
    notes = [*([UNBOUNDED] if any(map(leaves_bounds, tables)) else []), *([QUICK] if made.quick else [])]
    content = {
        "title": TITLE,
        "introduction": [*INTRODUCTION, _count(sections), *notes],
        "overview": _overview(sections),
        "studies": [_layers(), *sections],
        "left_out": _left_out(),
    }
    files.write_bytes(out / "README.md", redact(pages.markdown(content, out, TEMPLATE)).encode())
    files.write_bytes(out / "index.html", redact(pages.html(content, TEMPLATE)).encode())
    return out / "index.html"


def _section(name: str, made: Reproduction, out: Path) -> dict[str, Any]:
    study, sweep = made.studies[name], made.folder / name
    data = data_overrides(study, sweep) or made.data[study.data]
    records = read_sweep(sweep)[1] if (sweep / SWEEP).exists() else []
    tables = [published_table(study, records)] if study.rows else []
    tables += [findings_table(study, records)] if study.findings else []
    tables += [errata_table(study, records)] if study.errata else []
    tables += settings_tables(study.settings, records) if study.settings else []
    about = f"{study.part}: {study.shows}. Data: {_data(records)}."
    about += f" {AGAINST_EXACT}" if study.errata else ""
    drawn = pictures(name, study, sweep, records, out)
    command = study.command(data, len({record.parameters.get("seed") for record in records}) or made.seeds, made.quick)
    return {"title": study.title, "about": about, "tables": tables, "pictures": drawn, "command": command}


def _count(sections: Sequence[Mapping[str, Any]]) -> str:
    """`32 published numbers: 12 agree, 5 are not to be told apart, 14 differ with the reason, 1 was not run.`"""
    tables = [table for section in sections for table in section["tables"] if AGREEMENT in table.heads]
    verdicts = [row[-1] for table in tables for row in table.rows]
    agree, undecided, absent = (sum(v.startswith(word) for v in verdicts) for word in (AGREES, UNDECIDED, NOT_RUN))
    differ = len(verdicts) - agree - undecided - absent
    return (
        f"{counted(len(verdicts), 'published number')}: {agree} agree, {undecided} are not to be told apart, {differ} "
        f"differ, with the reason, {absent} were not run."
    )


def _overview(sections: Sequence[Mapping[str, Any]]) -> Table:
    """Of each study how many published numbers agree, and how many published sentences hold."""

    def counts(head: str, good: str) -> list[str]:
        tables = [[t for t in section["tables"] if t.heads[-1] == head] for section in sections]
        verdicts = [[row[-1] for table in of_it for row in table.rows] for of_it in tables]
        return [f"{sum(v.startswith(good) for v in said)} of {len(said)}" if said else NOTHING for said in verdicts]

    return Table(
        [
            Column("study", [section["title"] for section in sections], numeric=False),
            Column("published numbers that agree", counts(AGREEMENT, AGREES)),
            Column("published sentences that hold", counts(OURS, "holds")),
        ]
    )


def _data(records: Sequence[Record]) -> str:
    """Where the samples came from."""
    sources = {str(record.identity["source"]) for record in records if "source" in record.identity}
    return "; ".join(sorted(sources)) or "not run"


def _layers() -> dict[str, Any]:
    checks = [check for check in layer_checks() if check.published is not None]
    table = Table(
        [
            Column("check", [check.name for check in checks], numeric=False),
            Column("published", [f"{check.published:.1e}" for check in checks]),
            Column("ours", [f"{check.error:.1e}" for check in checks]),
        ]
    )
    return {
        "title": "Layers by hand",
        "about": "§2a: relative errors against differences, float64, of the checks that were published. Their figures "
        "depend on the digits of printed references and on the draw: what has to hold is a ceiling of 1e-6.",
        "tables": [table],
        "pictures": [],
        "command": "duograd gradcheck layers",
    }


def _left_out() -> Table:
    numbers = [", ".join(f"{number:g}" for number in entry["numbers"]) for entry in left_out()]
    reasons = [str(entry["reason"]) for entry in left_out()]
    return Table([Column("published", numbers, numeric=False), Column("why", reasons, numeric=False)])
