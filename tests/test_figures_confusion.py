"""Confusion matrices: shares by hand, and heat maps that open."""

from pathlib import Path

import numpy as np
from drawn import NAN, opened

from duograd.runner.classification import judge, row_names
from duograd.runner.plots.confusion import confusion_matrices, confusion_matrix, normalised, percent
from duograd.runner.plots.text import Output


def test_shares_by_hand() -> None:
    counts = np.array([[3, 1], [0, 0]])
    np.testing.assert_array_equal(normalised(counts, "counts"), [[0.75, 0.25], [0, 0]])
    np.testing.assert_array_equal(normalised(counts, "recall"), [[0.75, 0.25], [NAN, NAN]])
    np.testing.assert_array_equal(normalised(counts, "precision"), [[1, 1], [0, 0]])
    assert np.isnan(normalised(0 * counts, "counts")).all()


def test_percent_rounds_nothing_to_none_or_all() -> None:
    assert [percent(share) for share in (0, 1e-4, 0.125, 0.9999, 1, NAN)] == [
        "0 %",
        "<1 %",
        "12 %",
        ">99 %",
        "100 %",
        "–",
    ]


def test_a_thousand_classes_have_no_numbers_but_the_worst_pairs(tmp_path: Path) -> None:
    counts = 9 * np.eye(1000, dtype=int)
    counts[3, 5] = 4
    names = [f"class {k} \udc80\n" for k in range(1000)]  # names of folders that are no Unicode
    pixels = opened(confusion_matrix(counts, names, Output(tmp_path / "c.png", "title")))
    assert 1000 < max(pixels.shape) < 2000
    assert (pixels[:, -200:] < 128).any()  # the pair stands at the right
    opened(confusion_matrices({"a": counts}, names, Output(tmp_path / "d.png", "title"), "test"))


def test_classes_may_be_called_like_a_row_of_the_report() -> None:
    classes = ["accuracy", "macro avg", "cat"]
    report = judge(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 1]), classes)["report"]
    assert [report[row]["recall"] for row in row_names(classes)] == [1, 1, 0.5]
    assert report["accuracy"] == 0.75
