"""The page of what was made again: published numbers beside ours, study by study, with pictures and commands."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from duograd.runner.gradcheck.layers import layer_checks
from duograd.runner.report import pages
from duograd.runner.report.charts import Picture
from duograd.runner.report.records import Record, read_sweep
from duograd.runner.report.tables import Column, Table
from duograd.runner.reproduce.outcome import AGREEMENT, NOT_RUN, findings_table, published_table
from duograd.runner.reproduce.study import Study, left_out
from duograd.runner.store import files
from duograd.runner.store.folders import SWEEP

TEMPLATE, FIGURES = "reproduction.jinja", "figures"
TITLE = "The report, made again"
INTRODUCTION = [
    "Every figure and table of the course report, from its own settings, beside what it published. Ours is the mean "
    "over n seeds, with Student's 95 % interval; a published number agrees where ours is within the stated tolerance, "
    "or where the interval holds it.",
    "The test set is used once, after the last update: a row that chose on it in the report says so.",
]
QUICK = "This is the quick form: small data, a few epochs. It shows that every row can be made, not what it comes to."


def write_page(studies: Mapping[str, Study], sweeps: Path, out: Path, commands: Mapping[str, str], quick: bool) -> Path:
    """Writes README.md, index.html and figures/ of the studies whose sweeps lie in a folder; the HTML page.

    commands: what makes each study, by its name.
    """
    (out / FIGURES).mkdir(parents=True, exist_ok=True)
    sections = [_section(name, study, sweeps / name, out, commands[name]) for name, study in studies.items()]
    content = {
        "title": TITLE,
        "introduction": [*INTRODUCTION, _count(sections), *([QUICK] if quick else [])],
        "studies": [_layers(), *sections],
        "left_out": _left_out(),
    }
    files.write_bytes(out / "README.md", pages.markdown(content, out, TEMPLATE).encode())
    files.write_bytes(out / "index.html", pages.html(content, TEMPLATE).encode())
    return out / "index.html"


def _section(name: str, study: Study, sweep: Path, out: Path, command: str) -> dict[str, Any]:
    records = read_sweep(sweep)[1] if (sweep / SWEEP).exists() else []
    tables = [published_table(study, records)] if study.rows else []
    tables += [findings_table(study, records)] if study.findings else []
    about = f"{study.part}: {study.shows}. Data: {_data(records)}."
    pictures = _pictures(name, study, sweep, out)
    return {"title": study.title, "about": about, "tables": tables, "pictures": pictures, "command": command}


def _count(sections: Sequence[Mapping[str, Any]]) -> str:
    """`27 published numbers: 12 agree, 14 differ with a reason, 1 was not run.`"""
    tables = [table for section in sections for table in section["tables"] if AGREEMENT in table.heads]
    verdicts = [row[-1] for table in tables for row in table.rows]
    agree = sum(verdict.startswith("agrees") for verdict in verdicts)
    absent = verdicts.count(NOT_RUN)
    differ = len(verdicts) - agree - absent
    return f"{len(verdicts)} published numbers: {agree} agree, {differ} differ, with the reason, {absent} were not run."


def _data(records: Sequence[Record]) -> str:
    """Where the samples came from."""
    sources = {str(record.identity["source"]) for record in records if "source" in record.identity}
    return "; ".join(sorted(sources)) or "not run"


def _pictures(name: str, study: Study, sweep: Path, out: Path) -> list[Picture]:
    """Copies of those that the sweep's report has."""
    pictures = []
    for beginning in study.pictures:
        for path in sorted((sweep / FIGURES).glob(f"{beginning}*.png")):
            copy = out / FIGURES / f"{name}_{path.name}"
            shutil.copyfile(path, copy)
            pictures.append(Picture(copy, f"{study.title}: {path.stem.replace('_', ' ')}"))
    return pictures


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
