"""duograd filters: pixels against the formula, kernels as people type them, and one line for each mistake."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from duograd.runner.commands import filters
from duograd.runner.commands.filters import Filter, edges, grey, on_each, on_one, read_kernel
from duograd.runner.errors import UserError

SOBEL = np.array([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]])


ROOT = Path(__file__).parents[1]


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture of noise, 30 wide and 20 high, in the current directory."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("photo.png")
    return Path("photo.png")


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(np.float64)


def at(image: np.ndarray, kernel: np.ndarray, row: int, column: int) -> float:
    """The formula at one place of an image (H, W), zero around it."""
    half = np.array(kernel.shape) // 2
    padded = np.pad(image, [(half[0],) * 2, (half[1],) * 2])
    return float((padded[row : row + kernel.shape[0], column : column + kernel.shape[1]] * kernel).sum())


def test_grey_is_the_weighted_sum_of_the_colours(photo: Path) -> None:
    image = pixels_of(photo)
    np.testing.assert_allclose(grey()(image)[..., 0], image @ [0.3, 0.6, 0.1], rtol=1e-5)  # float32


@pytest.mark.parametrize("place", [(0, 0), (5, 7), (19, 29)])
def test_edges_are_horizontal_in_blue_around_128(photo: Path, place: tuple[int, int]) -> None:
    image = pixels_of(photo)
    assert edges()(image)[(*place, 0)] == pytest.approx(at(image[..., 2], SOBEL, *place) + 128, abs=1e-2)


def test_a_kernel_is_not_flipped_and_keeps_the_size(photo: Path) -> None:
    image = pixels_of(photo)
    kernel = np.array([[1.0, 2, 3, 4, 5]])  # wide: catches height and width mistaken for each other
    y = Filter("", on_one(kernel, "green"), bias=-3)(image)
    assert y.shape == (20, 30, 1)
    assert y[4, 0, 0] == pytest.approx(at(image[..., 1], kernel, 4, 0) - 3, rel=1e-5)


def test_each_channel_stays_by_itself(photo: Path) -> None:
    image = pixels_of(photo)
    y = Filter("", on_each(SOBEL))(image)
    assert y[3, 4].tolist() == pytest.approx([at(image[..., c], SOBEL, 3, 4) for c in range(3)], abs=1e-2)


@pytest.mark.parametrize("text", ["1 2 1; 0 0 0; -1 -2 -1", "1,2,1;0,0,0;-1,-2,-1;", "1 2 1\n\n 0 0 0\n-1 -2 -1\n"])
def test_kernels_as_people_type_them(text: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_kernel(text), SOBEL)
    (tmp_path / "sobel.txt").write_text(text)
    np.testing.assert_array_equal(read_kernel(str(tmp_path / "sobel.txt")), SOBEL)


def test_a_row_an_image_and_a_column_a_filter(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert filters.main([str(photo)]) == 0
    assert capsys.readouterr().out == "filters.png\n"
    one = pixels_of(Path("filters.png")).shape
    assert filters.main([str(photo), str(photo), "--out", "folder/two.png"]) == 0
    two = pixels_of(Path("folder/two.png")).shape
    assert two[0] > one[0]
    assert two[1] == one[1]
    assert filters.main([str(photo), "--kernel", "1", "--out", "own.png"]) == 0
    assert pixels_of(Path("own.png")).shape[1] < one[1]


def test_the_identity_shows_the_same_picture_again(photo: Path) -> None:
    """Rounded and clipped to the very pixels that it was given, beside the original."""
    filters.main([str(photo), "--kernel", "0 0 0; 0 1 0; 0 0 0", "--channel", "all"])
    page, image = pixels_of(Path("filters.png")), pixels_of(photo)
    rows, columns = np.nonzero((page == image[0, 0]).all(axis=2))
    crops = [page[r : r + 20, c : c + 30] for r, c in zip(rows, columns, strict=True)]
    assert sum(crop.shape == image.shape and bool((crop == image).all()) for crop in crops) == 2


def test_what_is_below_0_is_black_and_above_255_white(photo: Path) -> None:
    for kernel, colour in (("-1", 0), ("1000", 255)):
        filters.main([str(photo), "--kernel", kernel, "--channel", "blue"])
        page, image = pixels_of(Path("filters.png")), pixels_of(photo)
        found = (page == colour).all(axis=2).sum()
        assert found >= (image[..., 2] > 0).sum() == (image[..., 2] > 0.2).sum() > 500


def test_large_photographs_are_scaled_down_and_small_ones_left(photo: Path) -> None:
    Image.new("RGB", (1000, 500), "#ff0000").save("large.png")
    for size, found in (("100", (100, 50)), ("5000", (1000, 500))):
        filters.main(["large.png", "--kernel", "0", "--size", size])
        red = (pixels_of(Path("filters.png")) == (255, 0, 0)).all(axis=2)
        assert (red.any(axis=0).sum(), red.any(axis=1).sum()) == found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope.jpg"], "no image nope.jpg"),
        (["."], r"\. is a folder: name the images in it"),
        (["text.txt"], "text.txt cannot be read as an image"),
        (["photo.png", "--kernel", "1 2 3; 4 5"], "row 2 of the kernel has 2 numbers, row 1 has 3: give as many"),
        (["photo.png", "--kernel", "1 2; 3 4"], "a kernel of 2×2 has no centre: give an odd number"),
        (["photo.png", "--kernel", "1 2 3; 4 5 6"], "a kernel of 2×3 has no centre"),
        (["photo.png", "--kernel", "1 nan 3"], "row 1 of the kernel holds nan: give numbers from -1,000,000"),
        (["photo.png", "--kernel", "1; 0; -inf"], "row 3 of the kernel holds -inf"),
        (["photo.png", "--kernel", "; ;"], "the kernel is empty"),
        (["photo.png", "--kernel", "sobel"], "--kernel=sobel is no file, nor rows of numbers"),
        (["photo.png", "--kernel", "x" * 5000], "is no file, nor rows of numbers"),
        (["photo.png", "--kernel", "text.txt"], "--kernel=text.txt holds something else than numbers"),
        (["photo.png", "--kernel", "photo.png"], "--kernel=photo.png is not a text file"),
        (["photo.png", "--kernel", "1 " * 31], "the kernel of 1×31 is larger than photo.png, 20×30"),
        (["photo.png", "--kernel", "1 1 1", "--size", "2"], "the kernel of 1×3 is larger than photo.png, 1×2"),
        (["photo.png", "--size", "0"], "--size=0: give the pixels"),
        (["photo.png", "--kernel", "1", "--bias", "nan"], "--bias=nan: give numbers from"),
        (["photo.png", "--bias", "3"], "--bias=3.0 belongs to a kernel of your own"),
        (["photo.png", "--channel", "red"], "--channel=red belongs to a kernel of your own"),
        (["photo.png", "--out", "filters.jpg"], "--out=filters.jpg: the picture is a PNG"),
        (["photo.png", "--out", "./photo.png"], "--out=photo.png is one of the images"),
        (["photo.png", "--out", "text.txt/x.png"], "--out=text.txt/x.png: .*[Nn]ot a directory|File exists"),
    ],
)
def test_mistakes_are_told_in_one_line(photo: Path, arguments: Sequence[str], said: str) -> None:
    Path("text.txt").write_text("no image")
    before = photo.read_bytes()
    with pytest.raises(UserError, match=said) as error:
        filters.main(list(arguments))
    assert "\n" not in str(error.value)
    assert photo.read_bytes() == before
    assert not Path("filters.png").exists()


def test_the_command_is_quick_to_start_and_ends_in_its_exit_code(photo: Path) -> None:
    code = (
        "import sys, atexit; sys.argv = ['duograd', *sys.argv[1:]]\n"
        "heavy = {'torch', 'matplotlib', 'hydra', 'scipy', 'mlflow'}\n"
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules))))\n"
        "from duograd.runner.cli import main; main()"
    )
    ends = [
        subprocess.run(
            [sys.executable, "-c", code, "filters", name],
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        for name in (str(photo), "nope.png")
    ]
    assert [end.returncode for end in ends] == [0, 2]
    assert ends[0].stdout == "filters.png\n[]\n"
    assert ends[1].stderr == "duograd: no image nope.png\n"
