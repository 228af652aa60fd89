"""Pages of images: patches, weights, reconstructions."""

from pathlib import Path

import numpy as np
import pytest
from drawn import LONG, NAN, opened

from duograd.runner.plots.figures.hidden_weights import draw_weights
from duograd.runner.plots.figures.patches import draw_patches
from duograd.runner.plots.figures.reconstructions import draw_reconstructions
from duograd.runner.plots.images import weight_frame
from duograd.runner.plots.text import Output


@pytest.mark.parametrize("count", [1, 7, 230])
def test_patches_open(count: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    colour, grey = rng.random((count, 16, 16, 3)), rng.uniform(0.1, 0.9, (count, 16, 16))
    pixels = opened(draw_patches(colour, grey, Output(tmp_path / "p.png", LONG, LONG)))
    assert min(pixels.shape[:2]) > 400
    assert (np.ptp(pixels, axis=2) > 100).any(), "no colour"


@pytest.mark.parametrize(
    ("hidden", "shape"), [(1, (16, 16)), (10, (16, 16)), (100, (16, 16)), (5, (10, 30)), (32, (7, 7, 3))]
)
def test_hidden_weights_open(hidden: int, shape: tuple[int, ...], tmp_path: Path) -> None:
    weight = np.random.default_rng(5).standard_normal((hidden, int(np.prod(shape)))).astype(np.float32)
    height, width, _ = opened(draw_weights(weight, shape, Output(tmp_path / "w.png", LONG, LONG))).shape
    assert height > 300
    assert width >= 720  # room for a title above one tiny unit


def test_weight_frame_has_grey_for_zero_and_one_size() -> None:
    weight = np.zeros((64, 256))
    weight[0, 0], weight[0, 1] = 2.0, -1.0
    frame = weight_frame(weight, (16, 16))
    assert frame.shape == (4 * 135, 4 * 135)  # 8 units and 7 gaps, four times as large
    assert [frame[0, 0], frame[0, 4], frame[0, 8], frame[0, 64]] == [255, 64, 128, 255]
    assert weight_frame(np.full((64, 256), NAN), (16, 16)).shape == frame.shape


def test_channel_first_filters_are_refused() -> None:
    with pytest.raises(ValueError, match="expected \\(units, 7 x 7 x 3\\)"):
        weight_frame(np.zeros((32, 3, 7, 7)), (7, 7, 3))


@pytest.mark.parametrize("count", [1, 12, 40])
def test_reconstructions_open(count: int, tmp_path: Path) -> None:
    rows = np.random.default_rng(6).random((3, count, 16, 16))
    errors = {"network": 0.0123, "PCA, 64 components": 0.0101}
    opened(draw_reconstructions(*rows, errors, Output(tmp_path / "r.png", LONG, LONG)))


def test_reconstructions_share_the_originals_scale(tmp_path: Path) -> None:
    original, halfway = np.array([[[0.25, 0.75]]]), np.array([[[0.5, 0.5]]])
    pixels = opened(
        draw_reconstructions(original, halfway, original, {"a": 0.0, "b": 1e-9}, Output(tmp_path / "r.png", ""))
    )
    # Pixels come 16 x 16 large and no letter has these pure greys: black is half of two rows, mid grey all of one.
    assert [(pixels == level).all(axis=2).sum() for level in (0, 128)] == [2 * 16 * 16, 2 * 16 * 16]
