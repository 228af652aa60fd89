"""Whole answers: files, pictures by the number of axes, and what only autoencoders and classifiers have."""

import csv
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import tiny
from drawn import opened
from report_builders import ACTIVITY, run_folder, sweep_folder
from rich.console import Console

from duograd.runner.commands import watch
from duograd.runner.compose import compose
from duograd.runner.report import confusion_sheets
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.confusion_sheets import counts, has_classes, sheets
from duograd.runner.report.feature_sheets import reconstructions
from duograd.runner.report.records import read_run
from duograd.runner.report.report import report_sweep, write_report
from duograd.runner.report.restore import MissingError, Restorer
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

METRICS = {"train/loss": [3.0, 2.0], "val/loss": [3.0, 2.5], "train/accuracy": [0.4, 0.6], "val/accuracy": [0.4, 0.5]}
CLASSES = {"sit": 1.0, "walk": 0.5}


class Page(HTMLParser):
    """What a page asks for, its tables' cells, and whether its elements are closed."""

    VOID = ("meta", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asks: list[str] = []
        self.open: list[str] = []
        self.cells = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.asks += [value or "" for name, value in attrs if name in ("src", "href")]
        self.cells += tag == "td"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def pictures(folder: Path) -> set[str]:
    for path in (folder / "figures").glob("*.png"):
        opened(path)
    return {path.stem for path in (folder / "figures").glob("*.png")}


def lines_of(path: Path) -> int:
    """The runs in a CSV file."""
    return len(list(csv.DictReader(path.read_text().splitlines())))


@pytest.mark.parametrize(
    "swept",
    [
        {"loss.lambda": [0, 1e-5, 1e-3]},
        {"model.hidden_size": [10, 50], "loss.lambda": [0, 1e-3]},
        {"model.hidden_size": [10, 50], "loss.lambda": [0, 1e-3], "optimizer": ["sgd", "adam"], "seed": [0, 1]},
        {"model.hidden_size": [10, 50], "loss.lambda": [0, 1], "optimizer": ["sgd", "adam"], "optimizer.lr": [1, 2]},
        {"seed": [0, 1, 2]},
    ],
)
def test_a_sweep_ends_with_its_answer(tmp_path: Path, swept: dict[str, list[Any]]) -> None:
    sweep = sweep_folder(tmp_path / "sweep", swept, job1="FAILED")
    answer = report_sweep(sweep)
    found = pictures(sweep)
    assert "curves_loss" in found
    assert ("best_train_loss" in found) == (list(swept) != ["seed"])
    assert lines_of(sweep / "ranking.csv") == int(np.prod([len(v) for v in swept.values()]))
    for name in ("answer.md", "answer.html"):
        text = (sweep / name).read_text()
        assert "duograd -m task=autoencoder loss.lambda=0,1" in text
        assert "FAILED" in text
        assert "inf at step 2" in text
    console = Console(record=True, width=100)
    answer.show(console)
    assert "train the best again: duograd task=autoencoder seed=0\n" in console.export_text()


def test_the_page_is_self_contained_and_escapes(tmp_path: Path) -> None:
    path = run_folder(tmp_path / "run", {"optimizer": "<b>|*"}, status="FAILED", error="<script>alert('`|`')</script>")
    other = run_folder(tmp_path / "other", {"optimizer": "adam"})
    write_report(
        tmp_path, Comparison("a <title> & more", [read_run(path), read_run(other)]), link="http://x/#/a?b=1&c=2"
    )
    page = Page((tmp_path / "answer.html").read_text())
    assert page.open == ["html"] or not page.open
    assert page.asks.pop() == "http://x/#/a?b=1&c=2"
    assert page.asks
    assert all(address.startswith("data:image/png;base64,") for address in page.asks)
    text = (tmp_path / "answer.html").read_text()
    assert "<script>alert" not in text
    assert "<b>" not in text
    rows = [line for line in (tmp_path / "answer.md").read_text().splitlines() if line.startswith("| ")]
    bars = {len(re.findall(r"(?<!\\)\|", row)) for row in rows[:4]}
    assert len(bars) == 1, "a cell's own | broke the table"


def test_pictures_of_markdown_are_where_it_says(tmp_path: Path) -> None:
    sweep = sweep_folder(tmp_path / "a sweep, (one)", {"loss.lambda": [0, 1]})
    report_sweep(sweep)
    links = re.findall(r"!\[[^]]*\]\(([^)]*)\)", (sweep / "answer.md").read_text())
    assert links
    assert all((sweep / link).is_file() for link in links)


def test_no_run_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = sweep_folder(tmp_path / "sweep", {"loss.lambda": [0, 1]}, job0="FAILED", job1="PENDING")
    (sweep / "sweep.json").write_text((sweep / "sweep.json").read_text().replace('"FINISHED"', '"KILLED"'))
    assert watch.main([str(sweep)]) == 1
    printed = capsys.readouterr().out
    assert "answer" not in printed
    assert printed.endswith(f"1 failed, 1 waiting; go on with it: duograd resume {sweep}\n")
    answer = report_sweep(sweep)
    assert answer.comparison.best is None
    assert "No finished run has a value of train/loss to be ranked by" in (sweep / "answer.md").read_text()
    assert pictures(sweep) == {"curves_loss"}


def test_nothing_but_pending_jobs(tmp_path: Path) -> None:
    sweep = sweep_folder(tmp_path, {"loss.lambda": [0, 1]}, job0="PENDING", job1="PENDING")
    report_sweep(sweep)
    assert pictures(sweep) == set()
    assert lines_of(sweep / "ranking.csv") == 2


def test_no_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no records"):
        write_report(tmp_path, Comparison("x", []))


def test_classifiers_show_their_counted_confusion(tmp_path: Path) -> None:
    counted = {"test": [[3, 1], [0, 4]], "val": [[1, 0], [0, 1]]}
    records = [
        read_run(
            run_folder(
                tmp_path / f"run{k}",
                {"model.hidden_size": k},
                METRICS,
                ACTIVITY,
                confusion=counted,
                f1={"val": CLASSES, "test": CLASSES},
            )
        )
        for k in range(2)
    ]
    answer = write_report(tmp_path, Comparison("x", records))
    assert pictures(tmp_path) == {"best_val_loss", "final_val_accuracy", "curves_loss", "curves_accuracy", "confusion"}
    assert not answer.left_out
    assert "confusion matrices on test samples" in (tmp_path / "answer.md").read_text()


def test_a_fault_in_a_picture_costs_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no such <b>font</b>")

    monkeypatch.setattr("duograd.runner.report.charts.overlay", broken)
    answer = write_report(tmp_path, Comparison("x", [read_run(run_folder(tmp_path / "run"))]))
    assert "RuntimeError: no such <b>font</b> (test_report_written.py:" in answer.left_out[0]
    assert "Charts could not all be drawn" in (tmp_path / "answer.html").read_text()


def trained(folder: Path, *overrides: str) -> Path:
    """A run of a moment, without its own pictures but with frames."""
    assert run(tiny("task.figures=[]", *overrides), RunFolder(folder), list(overrides)) == 0
    return folder


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """backend=numpy,torch with seed=1,2."""
    root = tmp_path_factory.mktemp("twins")
    pairs = [(backend, seed) for backend in ("numpy", "torch") for seed in (1, 2)]
    return [trained(root / f"{name}{seed}", f"backend={name}", f"seed={seed}") for name, seed in pairs]


def test_autoencoders_show_features_and_reconstructions(tmp_path: Path, twins: list[Path]) -> None:
    records = [read_run(path) for path in twins]
    answer = write_report(tmp_path, Comparison("twins", records))
    assert {"features", "reconstructions"} <= pictures(tmp_path)
    assert not answer.left_out
    cells = [reconstructions(record, Restorer(), 3) for record in records]
    assert cells[0].shape == (9, 14)  # two rows of three 4 x 4 patches, a pixel apart
    np.testing.assert_array_equal(cells[0][:4], cells[1][:4])  # the same originals
    np.testing.assert_allclose(cells[0], cells[2], atol=1)  # numpy and torch say the same, to a grey level
    assert not np.array_equal(cells[0], cells[1])  # another seed does not


def test_a_changed_data_set_is_not_taken_for_the_runs_own(tmp_path: Path, twins: list[Path]) -> None:
    record = read_run(twins[0])
    other = replace(record, identity={**record.identity, "digest": "0123"})
    with pytest.raises(MissingError, match="not what it was"):
        Restorer().data(other)
    answer = write_report(tmp_path, Comparison("x", [other]))
    assert pictures(tmp_path) == {"curves_loss", "features"}  # the last frame still stands in the folder
    [reason] = answer.left_out
    assert re.fullmatch("Reconstructions are left out: the data of .* is not what it was when the run began", reason)


def test_damaged_weights_leave_a_word(tmp_path: Path, twins: list[Path]) -> None:
    torn = Path(shutil.copytree(twins[2], tmp_path / "torn"))
    (torn / "best.safetensors").write_bytes(b"torn")
    answer = write_report(tmp_path / "out", Comparison("x", [read_run(twins[0]), read_run(torn)]))
    assert {"features", "reconstructions"} <= pictures(tmp_path / "out")
    assert not answer.left_out
    alone = write_report(tmp_path / "alone", Comparison("x", [read_run(torn)]))
    assert ["best.safetensors" in reason for reason in alone.left_out] == [True, True]


def test_confusion_matrices_are_of_classifiers_with_the_same_classes(tmp_path: Path) -> None:
    """Beside a regression, and a classifier of other classes, which have no place on that sheet."""
    counted = {"confusion": {"test": [[3, 1], [0, 4]]}, "f1": {"test": CLASSES}}
    others = {"confusion": {"test": [[1] * 3] * 3}, "f1": {"test": dict.fromkeys("abc", 0.5)}}
    regression, worse = {"train/loss": [3.0, 2.0], "val/loss": [3.0, 2.6]}, METRICS | {"val/loss": [3.0, 2.7]}
    records = [
        read_run(run_folder(tmp_path / "classes", {"model.hidden_size": 1}, METRICS, ACTIVITY, **counted)),
        read_run(run_folder(tmp_path / "others", {"model.hidden_size": 2}, worse, ACTIVITY, **others)),
        read_run(run_folder(tmp_path / "values", {"model.hidden_size": 3}, regression, ACTIVITY)),
    ]
    [picture] = sheets(Comparison("three", records), Restorer(), tmp_path)
    assert picture.path.name == "confusion.png"
    assert [has_classes(record, "test", list(CLASSES)) for record in records] == [True, False, False]


def test_a_confusion_matrix_of_several_seeds_says_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a mean: it is the run that is best on validation, of the seed that is named."""
    drawn: list[Any] = []
    monkeypatch.setattr(confusion_sheets, "confusion_matrices", lambda *arguments: drawn.append(arguments))
    counted = {"confusion": {"test": [[3, 1], [0, 4]]}, "f1": {"test": CLASSES}}
    by_seed = {150: METRICS | {"val/loss": [3.0, 2.9]}, 151: METRICS | {"val/loss": [3.0, 2.1]}}
    records = [
        read_run(run_folder(tmp_path / str(seed), {"seed": seed}, metrics, ACTIVITY, **counted))
        for seed, metrics in by_seed.items()
    ]
    [picture] = sheets(Comparison("seeds", records), Restorer(), tmp_path)
    [(matrices, _, _, says)] = drawn
    assert [name.rpartition(" ")[2] for name in matrices] == ["seed=151"]
    assert says == "of several seeds the best on validation (val/loss) · test"
    assert picture.caption.endswith("of several seeds the best on validation (val/loss)")


def test_confusion_is_counted_anew_where_a_run_did_not(tmp_path: Path) -> None:
    small = ["task=activity", "data=gait", "preset=smoke", "model.hidden_size=4", "epochs=1", "tracking=none"]
    small += ["data.count=60", "data.test_count=60", "data.people=10"]
    folder = RunFolder(tmp_path / "gait")
    assert run(compose([*small, "task.figures=[confusion_matrices]"]), folder, small) == 0
    record = read_run(folder.path)
    told = np.array(record.summary["confusion"]["test"])
    untold = replace(record, summary={key: value for key, value in record.summary.items() if key != "confusion"})
    np.testing.assert_array_equal(counts(untold, "test", Restorer()), told)
