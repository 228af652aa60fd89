"""Pictures: geometry and contrast against values worked out by hand, principal components against NumPy's SVD, and PNG
files that open, show all of their text and never appear in part."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runner.figures import png
from runner.figures.axis import scale_for
from runner.figures.canvas import legible
from runner.figures.confusion import Normalise, confusion_matrix, normalised, percent
from runner.figures.curves import loss_curve, metric_curve, spread, trace
from runner.figures.grid import enlarge, fit_side, save_png, stretch_each, tile
from runner.figures.lettering import font, wrap
from runner.figures.patches import patches
from runner.figures.pca import pca_error, pca_reconstruction
from runner.figures.reconstructions import reconstructions
from runner.figures.weights import hidden_weights, weight_frame

ROOT = Path(__file__).parents[1]
NAN = float("nan")
RTOL = 1e-9  # float64, sums of some thousand terms and an eigenvalue problem of well separated values
LONG = "data: a folder of photographs, " * 12 + "/and/a/path/" + "without-a-space" * 20


def opened(path: Path) -> np.ndarray:
    """The picture (height, width, 3) once it has been read back; nothing may touch the paper's edge."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB"))
    inside = np.zeros(pixels.shape[:2], bool)
    inside[12:-12, 12:-12] = True
    assert (pixels[~inside] == 255).all(), "something is cut off at the edge"
    return pixels


# Grids


def test_tile_lays_images_out_row_by_row() -> None:
    images = np.array([[[0.0, 1.0]], [[0.2, 0.4]], [[0.6, 0.8]]])  # three images of 1 x 2
    expected = [[0, 255, 255, 51, 102], [255] * 5, [153, 204, 255, 255, 255]]
    np.testing.assert_array_equal(tile(images, columns=2), expected)


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (7, 3, 3), (10, 3, 4), (64, 8, 8), (100, 10, 10)]
)
def test_tile_is_near_square(count: int, rows: int, columns: int) -> None:
    assert tile(np.zeros((count, 5, 5)), gap=2).shape == (7 * rows - 2, 7 * columns - 2)


def test_tile_of_flat_images_stacks_them() -> None:
    assert tile(np.zeros((4, 10, 40))).shape == (43, 40)


def test_tile_keeps_colour_and_needs_no_gap() -> None:
    images = np.stack([np.full((1, 1, 3), [1.0, 0.0, 0.2]), np.zeros((1, 1, 3))])
    np.testing.assert_array_equal(tile(images, columns=1, gap=0), [[[255, 0, 51]], [[0, 0, 0]]])


def test_tile_clips_and_shows_nan_as_black() -> None:
    np.testing.assert_array_equal(tile(np.array([[[NAN, -3.0, 7.0, np.inf]]])), [[0, 0, 255, 255]])


@pytest.mark.parametrize(
    "images", [np.zeros((0, 4, 4)), np.zeros((4, 4)), np.zeros((2, 4, 4, 1)), np.ones((1, 2, 2), int)]
)
def test_tile_refuses_what_is_no_image(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        tile(images)


def test_stretch_each_by_range() -> None:
    images = np.array([[[2.0, 4.0, 6.0]], [[-1.0, 0.0, 0.0]], [[7.0, 7.0, 7.0]]])
    np.testing.assert_allclose(stretch_each(images), [[[0, 0.5, 1]], [[0, 1, 1]], [[0.5, 0.5, 0.5]]])


def test_stretch_each_around_zero_keeps_the_sign() -> None:
    weights = np.array([[[-2.0, 0.0, 1.0]], [[0.0, 0.0, 0.0]], [[3.0, 3.0, 3.0]], [[1e-320, 0.0, 0.0]]])
    expected = [[[0, 0.5, 0.75]], [[0.5, 0.5, 0.5]], [[1, 1, 1]], [[1, 0.5, 0.5]]]
    np.testing.assert_allclose(stretch_each(weights, centre=0.0), expected)


def test_stretch_each_takes_its_scale_from_finite_values() -> None:
    images = np.array([[[NAN, -1.0, 1.0, np.inf]], [[NAN] * 4], [[np.inf] * 4]])
    stretched = stretch_each(images, centre=0.0)
    np.testing.assert_array_equal(stretched, [[[NAN, 0, 1, np.inf]], [[NAN] * 4], [[np.inf] * 4]])


def test_enlarge_repeats_pixels() -> None:
    np.testing.assert_array_equal(enlarge(np.array([[1, 2]], np.uint8), 2), [[1, 1, 2, 2], [1, 1, 2, 2]])


@pytest.mark.parametrize(
    ("shape", "side", "fitted"), [((10, 20), 70, (30, 60)), ((2, 2), 999, (32, 32)), ((50, 90), 30, (17, 30))]
)
def test_fit_side_scales_by_whole_factors(shape: tuple[int, int], side: int, fitted: tuple[int, int]) -> None:
    assert fit_side(np.zeros(shape, np.uint8), side).shape == fitted


# Files


def test_save_png_keeps_every_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    with Image.open(save_png(pixels, tmp_path / "new folder" / "a.png")) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    def full_disk(self: Path, content: bytes) -> int:
        self.open("wb").close()  # the file exists by then
        raise OSError("no space left on device")

    monkeypatch.setattr(png.Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_png(np.zeros((2, 2), np.uint8), target)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert target.read_bytes() == b"old"


def test_save_png_refuses_floats(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="uint8"):
        save_png(np.zeros((2, 2)), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_pictures_of_arrays_need_no_matplotlib_and_figures_no_pyplot(tmp_path: Path) -> None:
    code = f"""
import sys, numpy as np
from pathlib import Path
from runner.figures import confusion, curves, grid, patches, reconstructions, weights
weights.hidden_weights(np.eye(4), (2, 2), Path({str(tmp_path / "weights.png")!r}), "weights")
assert "matplotlib" not in sys.modules
curves.loss_curve({{"train/loss": [2.0, 1.0]}}, Path({str(tmp_path / "loss.png")!r}), "loss", ())
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)


def test_wrap_loses_no_letter_and_no_width() -> None:
    face = font(8)
    lines = wrap(f"two words\n{LONG}", 300, face)
    assert lines[0] == "two words"
    assert all(face.getlength(line) <= 300 for line in lines)
    assert "".join(lines).replace(" ", "") == f"two words{LONG}".replace(" ", "")


def test_legible_boxes_what_the_font_lacks() -> None:
    assert legible("λ = 5e-4, 照片") == "λ = 5e-4, □□"


# Principal components


def test_pca_by_hand() -> None:
    data = np.array([[1.0, 2.0], [3.0, 2.0], [1.0, 2.2], [3.0, 1.8]])  # the second axis varies little
    centred = data - [2, 2]
    values, vectors = np.linalg.eigh(np.array([[1.0, -0.1], [-0.1, 0.02]]))  # the population covariance, by hand
    expected = [2, 2] + centred @ np.outer(vectors[:, 1], vectors[:, 1])
    np.testing.assert_allclose(pca_reconstruction(data, data, 1), expected, rtol=RTOL)
    assert pca_error(data, 1) == pytest.approx(values[0] / 2, rel=RTOL)


@pytest.mark.parametrize("components", [0, 1, 5, 11])
def test_pca_agrees_with_svd_and_with_the_eigenvalues_left_out(components: int) -> None:
    rng = np.random.default_rng(1)
    data = 100 + rng.standard_normal((5000, 12)) @ rng.standard_normal((12, 12))  # more rows than one chunk
    mean = data.mean(0)
    u, s, vt = np.linalg.svd(data - mean, full_matrices=False)
    expected = mean + (u[:7, :components] * s[:components]) @ vt[:components]
    np.testing.assert_allclose(pca_reconstruction(data, data[:7], components), expected, rtol=RTOL)
    assert pca_error(data, components) == pytest.approx((s[components:] ** 2).sum() / 5000 / 2, rel=RTOL)


def test_pca_of_float32_sums_in_float64() -> None:
    data = (1000 + np.random.default_rng(2).standard_normal((6000, 3))).astype(np.float32)
    assert pca_error(data, 1) == pytest.approx(pca_error(data.astype(np.float64), 1), rel=1e-12)


def test_pca_with_all_components_is_exact() -> None:
    data = np.random.default_rng(3).random((5, 4)).astype(np.float32)
    np.testing.assert_array_equal(pca_reconstruction(data, data, 4), data)
    assert pca_error(data, 9) == 0
    assert pca_error(np.ones((1, 4)), 2) == 0  # one sample is its own mean
    with pytest.raises(ValueError, match="components is -1"):
        pca_error(data, -1)


# Pages


@pytest.mark.parametrize("count", [1, 7, 230])
def test_patches_open(count: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    colour, grey = rng.random((count, 16, 16, 3)), rng.uniform(0.1, 0.9, (count, 16, 16))
    pixels = opened(patches(colour, grey, tmp_path / "p.png", LONG, LONG))
    assert min(pixels.shape[:2]) > 400
    assert (np.ptp(pixels, axis=2) > 100).any(), "no colour"


def test_patches_must_be_the_same_in_both() -> None:
    with pytest.raises(ValueError, match="2 patches in colour, 3 in grey"):
        patches(np.zeros((2, 4, 4, 3)), np.zeros((3, 4, 4)), Path("never.png"), "")


@pytest.mark.parametrize(
    ("hidden", "shape"), [(1, (16, 16)), (10, (16, 16)), (100, (16, 16)), (5, (10, 30)), (32, (7, 7, 3))]
)
def test_hidden_weights_open(hidden: int, shape: tuple[int, ...], tmp_path: Path) -> None:
    weight = np.random.default_rng(5).standard_normal((hidden, int(np.prod(shape)))).astype(np.float32)
    height, width, _ = opened(hidden_weights(weight, shape, tmp_path / "w.png", LONG, LONG)).shape
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
    opened(reconstructions(*rows, errors, tmp_path / "r.png", LONG, LONG))


def test_reconstructions_share_the_originals_scale(tmp_path: Path) -> None:
    original, halfway = np.array([[[0.25, 0.75]]]), np.array([[[0.5, 0.5]]])
    pixels = opened(reconstructions(original, halfway, original, {"a": 0.0, "b": 1e-9}, tmp_path / "r.png", ""))
    # Pixels come 16 x 16 large and no letter has these pure greys: black is half of two rows, mid grey all of one.
    assert [(pixels == level).all(axis=2).sum() for level in (0, 128)] == [2 * 16 * 16, 2 * 16 * 16]


# Curves


@pytest.mark.parametrize("epochs", [1, 2, 5000])
def test_loss_curve_opens(epochs: int, tmp_path: Path) -> None:
    loss = np.geomspace(3, 0.01, epochs)
    history = {"train/loss": loss, "train/mse": loss / 2, "train/l2": 0 * loss, "val/loss": loss * 1.1}
    pixels = opened(loss_curve(history, tmp_path / "l.png", LONG, ("mse", "l2", "kl"), LONG))
    assert pixels.shape[0] > 600
    assert pixels.shape[1] > 1000


@pytest.mark.parametrize(
    "values", [[], [NAN], [NAN, 1.0, NAN, 2.0], [0.0, 0.0], [1.5] * 4, [1.0, 1e308, np.inf], [-1.0, 2.0], [None, 1.0]]
)
def test_loss_curve_takes_what_a_run_may_leave(values: list[float], tmp_path: Path) -> None:
    opened(loss_curve({"train/loss": values, "val/loss": [1.0]}, tmp_path / "l.png", "no formula: $\\frac{$", ()))


def test_metric_curve_takes_many_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    history = {f"{name} {split}/accuracy": rng.random(9) for name in "abcdefghijklm照" for split in ("train", "test")}
    opened(metric_curve(history, history, tmp_path / "m.png", "照片", "accuracy"))


def test_threads_draw_the_same_bytes(tmp_path: Path) -> None:
    def draw(name: str) -> bytes:
        return metric_curve(
            {"a": [1, 2], "b": [2, 1]}, "ab", tmp_path / name, "title", "accuracy", "footer"
        ).read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(draw, "wxyz"))) == 1


def test_gaps_stay_and_sparse_values_are_joined() -> None:
    epoch, y, dots = trace(np.array([1.0, 2.0, NAN, 3.0, NAN, 4.0, 5.0]))
    assert (len(epoch), np.isnan(y).sum(), dots) == (7, 2, [3])
    epoch, y, dots = trace(np.array([NAN, 1.0, NAN, NAN, 2.0]))
    assert (epoch.tolist(), y.tolist(), dots) == ([2, 5], [1, 2], [0, 1])


def test_scale_is_logarithmic_over_a_decade_of_positive_values() -> None:
    assert scale_for([np.array([0.1, 2.0])], "auto").log
    assert not scale_for([np.array([0.5, 2.0])], "auto").log
    assert not scale_for([np.array([0.0, 2.0])], "auto").log
    assert not scale_for([np.array([0.1, 2.0])], "linear").log
    assert scale_for([np.array([1e-300, 1.0])], "auto").low > 1e-7


def test_spread_moves_labels_apart_and_keeps_them_inside() -> None:
    np.testing.assert_allclose(spread(np.array([50.0, 50.0, 10.0]), 10, 0, 100), [45, 55, 10])
    np.testing.assert_allclose(spread(np.array([99.0, 100.0]), 10, 0, 100), [90, 100])


# Confusion matrices


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


@pytest.mark.parametrize(("classes", "normalise"), [(2, "counts"), (3, "recall"), (9, "precision")])
def test_confusion_matrix_opens(classes: int, normalise: Normalise, tmp_path: Path) -> None:
    counts = np.random.default_rng(8).integers(0, 10**6, (classes, classes))
    counts[0], counts[:, 1] = 0, 0
    names = [LONG[: 10 * (k + 1)] for k in range(classes)]
    opened(confusion_matrix(counts, names, tmp_path / "c.png", LONG, normalise, LONG))


@pytest.mark.parametrize("counts", [np.zeros((2, 3), int), np.zeros((3, 3)), np.full((3, 3), -1)])
def test_confusion_matrix_refuses_what_is_none(counts: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        confusion_matrix(counts, "abc", Path("never.png"), "")
