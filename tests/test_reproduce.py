"""The report made again: studies, what they come to beside published numbers, and the page."""

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from duograd.runner.compose import Composer, initialised
from duograd.runner.gradcheck.layers import layer_checks
from duograd.runner.plots.curves import Band, Curve, overlay
from duograd.runner.plots.style import COLOURS as LOOKS
from duograd.runner.plots.text import Output
from duograd.runner.report.records import Record
from duograd.runner.report.statistics import estimate
from duograd.runner.report.tables import Column, Table
from duograd.runner.reproduce.outcome import findings_table, holds, leaves_bounds, published_table, verdict
from duograd.runner.reproduce.pictures import _copied
from duograd.runner.reproduce.settings import settings_tables
from duograd.runner.reproduce.study import Finding, Row, left_out, studies
from duograd.runner.store.records import Origin

HALVES = ("numpy", "torch")
REPORT = Path(__file__).parents[2] / "shared" / "REPORT.md"
ROW = Row(name="it", where={}, metric="val/accuracy", published=0.5, tolerance=0.02, otherwise="other data")


@pytest.fixture(scope="module")
def composer():
    """One for all studies: what many of them choose is composed once."""
    with initialised(None):
        yield Composer(Origin())


@pytest.mark.parametrize("name", studies())
def test_every_point_of_a_study_can_be_composed_and_its_rows_name_points_of_it(name, composer):
    study = studies([name])[name]
    data = {"patches": "photos_sample", "images": "shapes", "activity": "gait"}[study.data]
    for values in product(*study.sweep.values()):
        point = dict(zip(study.sweep, values, strict=True))
        points = [f"{key}={value}" for key, value in point.items()]
        for quick in ([], study.quick):
            config = composer.config([*study.overrides, f"data={data}", *quick, *points])
            assert bool(config.mistakes) == (point.get("gradient", "exact") != "exact")
    wheres = [row.where for row in study.rows] + [side for f in study.findings for side in (f.left, f.right)]
    for where in wheres:
        assert where.keys() <= study.sweep.keys()
        assert all(value in study.sweep[key] for key, value in where.items())


@pytest.mark.skipif(not REPORT.exists(), reason="needs the report's facts beside the checkout")
def test_each_published_number_is_made_again_or_left_out_with_a_reason():
    made = {row.published for study in studies().values() for row in study.rows}
    made |= {round(100 * value, 6) for value in made} | {check.published for check in layer_checks()}
    made |= {number for entry in left_out() for number in entry["numbers"]}
    text = REPORT.read_text().partition("## 4.")[0]
    published = set()
    for header, *rows in tables(text):
        columns = [k for k, head in enumerate(header) if "published" in head]
        published |= {number for row in rows for k in columns for number in numbers(row[k])}
    assert len(published) > 30
    assert published - made == set()


def tables(text: str) -> list[list[list[str]]]:
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    lines = [[line.strip("|\n").split("|") for line in block.splitlines()] for block in blocks]
    return [[block[0], *block[2:]] for block in lines]


def numbers(cell: str) -> set[float]:
    """The results in a cell: not the powers, sizes and counts that words go with."""
    return {float(text) for text in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-\d+)?(?![\w.]*[²³])", cell)}


def record(seed: int, metrics: dict[str, float], **parameters: object) -> Record:
    return Record("run", Path("nowhere"), "FINISHED", config={"seed": seed, **parameters}, summary={"metrics": metrics})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.49, 0.51], "agrees (within 2 points)"),
        ([0.40, 0.60], "agrees (within 2 points)"),
        ([0.30], "differs: other data"),
        ([0.45, 0.65], "not to be told apart: 2 seeds, whose interval holds it"),
        ([0.60, 0.61, 0.62], "differs: other data"),
        ([0.52, 0.52], "agrees (within 2 points)"),  # 0.52 - 0.5 is a little more than 0.02
        ([], "not run"),
    ],
)
def test_a_published_number_agrees_or_the_reason_is_said(values, said):
    assert verdict(ROW, estimate(values)) == said
    chose = ROW.model_copy(update={"chose": "it chose on the test set"})
    assert not values or verdict(chose, estimate(values)) == f"{said}. It chose on the test set"
    least = verdict(ROW.model_copy(update={"or_better": True}), estimate(values))
    assert least == ("agrees (as good or better)" if sum(values) >= 0.5 * len(values) > 0 else said)


@pytest.mark.parametrize(
    ("expects", "differences", "said"),
    [
        ("higher", [0.05, 0.06, 0.07], "holds"),
        ("lower", [0.05, 0.06, 0.07], "does not hold"),
        ("higher", [0.05, -0.06, 0.02], "not to be told apart"),
        ("higher", [0.05], "so in one pair, which decides nothing"),
        ("lower", [0.05], "not so in one pair, which decides nothing"),
        ("equal", [0.001, 0.0, -0.001], "holds"),
        ("equal", [0.05, 0.0, -0.05], "not shown: equal means within 1 point"),
        ("higher", [], "not run"),
    ],
)
def test_a_published_sentence_holds_or_not_over_common_seeds(expects, differences, said):
    margin = 0.01 if expects == "equal" else 0.0
    finding = Finding(
        says="so", left={"model": "a"}, right={"model": "b"}, metric="test/accuracy", expects=expects, margin=margin
    )
    assert holds(finding, estimate(differences)) == said


def test_what_a_row_has_said_is_not_said_again():
    study = next(iter(studies(["gru_dense"]).values()))
    models = ("gru", "gru_dense1")
    runs = [record(1, {"train/accuracy": 0.5, "test/accuracy": 0.5}, model={"name": model}) for model in models]
    first, *rest = (row[-1] for row in published_table(study, runs).rows)
    assert first.endswith(". The report watched the test set while it trained")
    assert rest == ["differs, for the same reason"] * 3


def test_runs_are_found_by_their_parameters_and_paired_by_their_seeds():
    study = next(iter(studies(["autoencoder"]).values()))
    runs = [
        record(seed, {"train/loss": 0.7 + seed / 100}, backend={"name": half}) for seed in (1, 2) for half in HALVES
    ]
    ours = published_table(study, runs)
    first, before_any_update, second = ours.rows  # the first loss stands in metrics.jsonl, which is not there
    assert first[1:5] == ("0.7000", "0.7150", "[0.65, 0.78]", "2")
    assert (before_any_update[4], second[4]) == ("0", "2")
    [found] = findings_table(study, [*runs, record(3, {"train/loss": 9.0}, backend={"name": "numpy"})]).rows
    assert found[1:] == ("+0", "[0.0000, 0.0000]", "2", "holds")


def test_settings_stand_beside_each_other_and_the_best_on_validation_against_the_others():
    reached = {"gru": [(0.98, 0.90), (0.97, 0.93)], "rnn": [(0.91, 0.94), (0.93, 0.99)]}
    runs = [
        record(seed, dict(zip(("val/accuracy", "test/accuracy"), values, strict=True)), model={"name": m}, epochs=5)
        for m, of_seeds in reached.items()
        for seed, values in enumerate(of_seeds)
    ]
    settings, on_validation, on_test = settings_tables(["val/accuracy", "test/accuracy"], runs)
    assert settings.rows == [
        ("model=gru", "97.5 %", "[91, 104]", "98.0, 97.0", "91.5 %", "[72, 111]", "90.0, 93.0", "5", "2"),
        ("model=rnn", "92.0 %", "[79, 105]", "91.0, 93.0", "96.5 %", "[65, 128]", "94.0, 99.0", "5", "2"),
    ]
    assert on_validation.rows[0][:4] == ("val/accuracy", "model=gru", "model=rnn", "+6")
    assert on_test.rows[0][:4] == ("test/accuracy", "model=gru", "model=rnn", "−5")
    assert not list(settings_tables(["val/accuracy"], []))


def test_a_pictures_small_copy_has_the_colours_of_its_lines(tmp_path):
    """However many shades of bands there are: a legend tells lines by their colours."""
    alike, wild = np.linspace(2, 1, 15), np.random.default_rng(0).uniform(1, 9, (2, 15))
    means = [*[alike] * (len(LOOKS) - 2), *wild]  # those that the last of them hides have the legend alone
    bands = [Curve(f"line {k}", mean, k, band=Band(mean / 5, 3 * mean)) for k, mean in enumerate(means)]
    path = overlay({"train": bands, "validation": bands}, Output(tmp_path / "curves.png", "title"), "loss", "linear")
    with Image.open(_copied(path, tmp_path / "copy.png", "").path) as copy:
        colours = np.unique(np.asarray(copy.convert("RGB")).reshape(-1, 3), axis=0).astype(int)
    for colour in LOOKS:
        rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        assert np.abs(colours - rgb).max(axis=1).min() < 10, colour


def test_an_interval_beyond_all_percents_is_noticed():
    def table(*cells):
        return Table([Column("", [cell]) for cell in cells])

    assert leaves_bounds(table("91.5 %", "[72, 111]"))
    assert leaves_bounds(table("31.5 %", "[−8, 71]"))
    assert not leaves_bounds(table("91.5 %", "[72, 100]"))
    assert not leaves_bounds(table("−3.0 points", "[−8, 2]"))
    assert not leaves_bounds(table("2.1", "[−0.8, 5.0]"))
    assert not leaves_bounds(table("91.5 %", "–"))
