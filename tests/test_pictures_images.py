"""Pictures of image classifiers: which samples and weights they show, by an engine whose answers are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duograd.data.dataset import Batch, DataSet, Split
from duograd.runner.plots.figure import FinishedRun, draw_figure, frame_drawers
from duograd.runner.plots.figures import activation_maps, filters, mistakes, samples, step_curve
from duograd.runner.plots.images import as_pictures
from duograd.runner.store.folders import RunFolder

CLASSES = ("cat", "dog", "ship")
MEAN = 100  # what normalisation takes off


class Oracle:
    """Answers with the scores that stand in an image's first pixels, and has the weights that it was given."""

    def __init__(self, **weights: np.ndarray) -> None:
        self.weights = weights

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        assert inputs.dtype == np.float32, "not normalised"
        return inputs[:, 0, 0, :3]

    def probe(self, batch: Batch) -> dict[str, np.ndarray]:
        assert batch.inputs.dtype == np.float32, "not normalised"
        return {"conv0": batch.inputs[:, :2]} if "conv0.weight" in self.weights else {}

    def params(self) -> dict[str, np.ndarray]:
        return self.weights


def split(scores: list[list[int]], targets: list[int]) -> Split:
    """Images (N, 3, 4, 4) of which the oracle says `scores`; the last pixel is the sample's number."""
    inputs = np.zeros((len(scores), 3, 4, 4), np.uint8)
    inputs[:, 0, 0, :3] = np.array(scores) + MEAN
    inputs[:, 2, 3, 3] = np.arange(len(scores))
    return Split(inputs, np.array(targets), normalise=lambda x: x.astype(np.float32) - MEAN)


def finished(path: Path, held_out: Split, loss: str = "cross_entropy", **weights: np.ndarray) -> FinishedRun:
    train = split([[0, 0, 0]] * 40, [0] * 25 + [2] * 15)
    data = DataSet("shapes", "drawn", train, None, held_out, CLASSES)
    engine: Any = Oracle(**weights)
    return FinishedRun(engine, lambda: engine, data, {f"test/{loss}": 1.0}, 0, "title", "footer", RunFolder(path))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Any, ...]]:
    """What each figure was given to draw."""
    seen: dict[str, tuple[Any, ...]] = {}
    for module in (activation_maps, filters, mistakes, samples, step_curve):
        name = module.__name__.rpartition(".")[2]
        drawer = f"draw_{name.removeprefix('activation_').replace('step_curve', 'steps')}"
        monkeypatch.setattr(module, drawer, lambda *given, name=name: seen.update({name: given}))
    return seen


ANSWERS = split([[5, 0, 0], [0, 2, 0], [0, 1, 9], [3, 3, 9], [0, 0, 4]], [0, 0, 0, 1, 2])


def numbers(images: np.ndarray) -> list[int]:
    return np.rint(images[:, 3, 3, 2] * 255).astype(int).tolist()


def test_mistakes_are_the_surest_first(drawn: dict[str, tuple[Any, ...]], tmp_path: Path) -> None:
    draw_figure("mistakes", finished(tmp_path, ANSWERS))
    images, labels, counts, measure, out = drawn["mistakes"]
    assert numbers(images) == [2, 3, 1]
    assert labels == ["cat → ship 100.0 %", "dog → ship 99.5 %", "cat → dog 78.7 %"]  # e² / (e² + 2)
    assert counts == (3, 5)
    assert "probability" in measure
    assert "on test" in out.title
    assert out.path == tmp_path / "figures" / "mistakes.png"


def test_scores_of_an_svm_are_no_probabilities(drawn: dict[str, tuple[Any, ...]], tmp_path: Path) -> None:
    draw_figure("mistakes", finished(tmp_path, ANSWERS, loss="svm"))
    images, labels, _, measure, *_ = drawn["mistakes"]
    assert numbers(images) == [2, 3, 1]
    assert labels == ["cat → ship +9", "dog → ship +6", "cat → dog +2"]
    assert "score" in measure
    assert "probability" not in measure


def test_a_thousand_more_samples_are_all_looked_at(drawn: dict[str, tuple[Any, ...]], tmp_path: Path) -> None:
    many = split([[9, 0, 0]] * 2100, [0] * 2099 + [1])
    draw_figure("mistakes", finished(tmp_path, many))
    assert drawn["mistakes"][1:3] == (["dog → cat 100.0 %"], (1, 2100))


def test_without_mistakes_the_page_is_still_drawn(tmp_path: Path) -> None:
    draw_figure("mistakes", finished(tmp_path, split([[1, 0, 0]], [0])))
    assert (tmp_path / "figures" / "mistakes.png").exists()


def test_the_surest_still_differ() -> None:
    """In float32 both would be 1."""
    p = mistakes.probabilities(np.array([[0, 20, 0], [0, 25, 0]], np.float32), np.array([1, 1]))
    assert 0.99 < p[0] < p[1] < 1
    huge = np.array([[1e30, -1e30, 0]], np.float32)
    assert mistakes.probabilities(huge, np.array([0])) == 1


def test_filters_of_a_convolution(drawn: dict[str, tuple[Any, ...]], tmp_path: Path) -> None:
    weight = np.random.default_rng(0).random((5, 3, 2, 2))
    run = finished(tmp_path, ANSWERS, **{"conv0.weight": weight, "dense0.weight": np.zeros((4, 48))})
    draw_figure("filters", run)
    np.testing.assert_array_equal(drawn["filters"][0], weight)
    assert drawn["filters"][1] == "filters"
    frame = frame_drawers(["filters"], run.data)["filters"]
    np.testing.assert_array_equal(frame(run.engine), filters.filter_frame(weight))


@pytest.mark.parametrize("names", [["dense0.weight", "classifier.weight"], ["classifier.weight"]])
def test_a_dense_first_layer_is_folded_back(
    names: list[str], drawn: dict[str, tuple[Any, ...]], tmp_path: Path
) -> None:
    """Channel, row, column, as images are flattened."""
    weights = dict(zip(names, (np.arange(96.0).reshape(2, 48), np.zeros((3, 2))), strict=False))
    draw_figure("filters", finished(tmp_path, ANSWERS, **weights))
    folded, what = drawn["filters"][:2]
    assert folded.shape == (2, 3, 4, 4)
    assert folded[1, 2, 0, 3] == 48 + 2 * 16 + 3
    assert "units" in what


def test_activation_maps_of_the_first_held_out_image(drawn: dict[str, tuple[Any, ...]], tmp_path: Path) -> None:
    draw_figure("activation_maps", finished(tmp_path, ANSWERS, **{"conv0.weight": np.zeros(1)}))
    image, label, maps, *_ = drawn["activation_maps"]
    np.testing.assert_array_equal(np.rint(image * 255), ANSWERS.inputs[0].transpose(1, 2, 0))
    assert label == "cat, recognised"
    np.testing.assert_array_equal(maps["conv0"], ANSWERS.batch().inputs[0, :2])
    draw_figure("activation_maps", finished(tmp_path, split([[0, 1, 0]], [2]), **{"conv0.weight": np.zeros(1)}))
    assert drawn["activation_maps"][1] == "ship, taken for dog"


def test_a_network_without_convolutions_has_no_maps(drawn: dict[str, tuple[Any, ...]], tmp_path: Path) -> None:
    draw_figure("activation_maps", finished(tmp_path, ANSWERS))
    assert not drawn


def test_samples_are_of_their_class(drawn: dict[str, tuple[Any, ...]], tmp_path: Path) -> None:
    draw_figure("samples", finished(tmp_path, ANSWERS))
    [by_class, *_] = drawn["samples"]
    assert list(by_class) == list(CLASSES)
    assert [len(images) for images in by_class.values()] == [10, 0, 10]
    assert set(numbers(by_class["cat"])) <= set(range(25))
    assert set(numbers(by_class["ship"])) <= set(range(25, 40))
    assert len(set(numbers(by_class["cat"]))) == 10


def test_grey_images_stay_grey() -> None:
    images = np.arange(8, dtype=np.uint8).reshape(2, 1, 2, 2)
    np.testing.assert_array_equal(as_pictures(images) * 255, images[:, 0])


def test_the_step_curve_knows_where_epochs_end(drawn: dict[str, tuple[Any, ...]], tmp_path: Path) -> None:
    run = finished(tmp_path, ANSWERS)
    draw_figure("step_curve", run)
    assert not drawn  # full batch
    lines = [json.dumps({"step": k, "train/loss": 1 / k}) + "\n" for k in range(1, 13)]
    run.folder.steps.write_text("".join(lines))
    run.folder.metrics.write_text('{"epoch": 1}\n{"epoch": 2}\n{"epoch": 3}\n')
    draw_figure("step_curve", run)
    steps, losses, ends, *_ = drawn["step_curve"]
    assert list(steps) == list(range(1, 13))
    assert losses[3] == 0.25
    assert list(ends) == [4, 8, 12]
