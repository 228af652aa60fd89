"""What README has is typed as it stands: its Python runs, its commands compose, its pictures and pages are there."""

import re
import shlex
from pathlib import Path

import pytest
from sweep_builders import typing

from duograd.runner.compose import compose
from duograd.runner.reproduce.study import studies

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
SPANS = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL))
TYPED = [line.partition("#")[0].strip() for _, text in BLOCKS for line in text.splitlines()] + SPANS
COMMANDS = [shlex.split(text)[1:] for text in TYPED if re.match(r"duograd\b(?!.*(…|[A-Z]{4}|\.py))", text)]
OVERRIDES = [shlex.split(t) for t in SPANS if re.fullmatch(r"(\w[\w./]*=[\w./]+ ?)+", t) and ".py" not in t]
RUNS = [words for words in COMMANDS if all("=" in word for word in words)]
SWEEPS = [words for words in COMMANDS if words[:1] == ["-m"] or "hydra/sweeper=optuna" in words]


@pytest.mark.parametrize(
    "text", [pytest.param(text, marks=pytest.mark.slow if "duograd.run" in text else ()) for text in PYTHON]
)
def test_python_runs(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "README.md", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("words", [*RUNS, *OVERRIDES], ids=" ".join)
def test_a_run_composes(words):
    if not any(word.startswith("hydra") for word in words):
        compose(words)


def test_sweeps_are_planned_and_commands_exist(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert len(RUNS) > 5 < len(OVERRIDES)
    with typing(monkeypatch, capsys) as typed:
        for words in SWEEPS:
            assert typed(*words, "sweep.dry_run=true")[0] == 0
        for command in {words[0] for words in COMMANDS if words and words[0].isalpha()}:
            assert typed("help", command)[0] == 0


def test_its_table_is_that_of_the_report_made_again():
    page = (ROOT / "docs" / "report" / "README.md").read_text().replace("\\", "")
    rows = re.search(r"^\| what \| published .*\n\|.*\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert rows is not None
    assert len(rows[1].splitlines()) > 5
    for row in rows[1].splitlines():
        of_the_report, *numbers = (cell.strip() for cell in row.strip("|").split("|"))
        assert f"| {' | '.join(numbers)} |" in page, row
        assert of_the_report


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_page_shows_what_each_study_asks_for():
    page = (ROOT / "docs" / "report" / "README.md").read_text()
    missing = [
        f"{name}_{picture}"
        for name, study in studies().items()
        for picture in study.pictures
        if f"figures/{name}_{picture}" not in page
    ]
    assert missing == []
