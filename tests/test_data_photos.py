"""Patches are cut where they should be, evenly, and the same for the same seed."""

import json
import os
import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from builders import tiny
from faults import fault_of
from PIL import Image

from duograd.data.formats.image_files import open_images
from duograd.data.sources import photos_sample
from duograd.data.sources.photos import Photos, patches_from_images
from duograd.data.sources.photos_sample import sample_photos
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

SIZE = 4


class Pictures(list[np.ndarray]):
    """Photographs in memory, by number as from files."""

    @property
    def paths(self) -> list[str]:
        return [f"{number}.png" for number in range(len(self))]


def coordinates(number: int, height: int, width: int) -> np.ndarray:
    """A picture (H, W, 3) whose pixels say where they are: red the row, green the column, blue the picture."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.full_like(rows, number)], axis=-1).astype(np.uint8)


def cut(count: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    images = Pictures([coordinates(0, 9, 7), coordinates(1, 5, 12), coordinates(2, 4, 4)])
    return images, patches_from_images(images, count, SIZE, np.random.default_rng(seed))


def test_each_patch_is_a_window_of_one_image() -> None:
    images, patches = cut(500)
    assert patches.shape == (500, 3, SIZE, SIZE)
    assert patches.dtype == np.float32
    for patch in np.rint(patches * 255).astype(int):
        row, column, number = patch[:, 0, 0]
        window = images[number][row : row + SIZE, column : column + SIZE]
        np.testing.assert_array_equal(patch, window.transpose(2, 0, 1))


def test_images_and_positions_are_equally_likely() -> None:
    _, patches = cut(3000)
    row, column, number = np.rint(patches[:, :, 0, 0] * 255).astype(int).T
    per_image = np.bincount(number)
    assert (abs(per_image - 1000) < 5 * np.sqrt(1000 * 2 / 3)).all()  # five standard deviations of a binomial
    first = number == 0
    per_position = np.bincount(row[first] * 4 + column[first])
    assert len(per_position) == 6 * 4  # every corner included
    assert (abs(per_position - 1000 / 24) < 5 * np.sqrt(1000 / 24)).all()


def test_neighbours_in_the_result_come_from_different_images() -> None:
    _, patches = cut(300)
    number = np.rint(patches[:, 2, 0, 0] * 255)
    assert np.count_nonzero(np.diff(number)) > 150  # about 200 for a random order, 2 if sorted by image


def test_same_seed_same_patches() -> None:
    (_, first), (_, again), (_, other) = cut(20, seed=1), cut(20, seed=1), cut(20, seed=2)
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_values_span_zero_to_one() -> None:
    images = Pictures([np.tile(np.array([0, 255], np.uint8)[None, :, None], (4, 2, 3))])
    patches = patches_from_images(images, 3, SIZE, np.random.default_rng(0))
    assert (patches.min(), patches.max()) == (0, 1)


def test_too_small_image_is_named(tmp_path: Path) -> None:
    Image.fromarray(coordinates(0, 3, 8)).save(tmp_path / "thin.png")
    with open_images(tmp_path) as images:
        line = fault_of(patches_from_images, images, 1, SIZE, np.random.default_rng(0))
    assert line == (
        f"{tmp_path / 'thin.png'} is 8×3 pixels, smaller than a patch of 4×4: set data.size=3 or less, or remove it"
    )


def test_each_file_is_opened_once_and_none_is_kept(tmp_path: Path) -> None:
    opened: list[int] = []

    class Watched:
        paths = ("0.png", "1.png", "2.png")

        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int, /) -> np.ndarray:
            opened.append(index)
            return coordinates(index, 8, 8)

    patches_from_images(Watched(), 100, SIZE, np.random.default_rng(0))
    assert opened == [0, 1, 2]
    opened.clear()
    patches_from_images(Watched(), 1, SIZE, np.random.default_rng(0))
    assert len(opened) == 1


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
def test_an_archive_is_as_good_as_the_folder_in_it(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for name in ("b/2.png", "b.png", "a/1.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(len(name)).integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(
            folder / name
        )
    (folder / "notes.txt").touch()
    archive = Path(shutil.make_archive(str(tmp_path / "packed"), kind, folder))
    data = [Photos(root=str(root), count=20, size=SIZE).read(np.dtype("float64")) for root in (folder, archive)]
    assert data[0].digest == data[1].digest
    assert [one.source for one in data] == ["3 photographs in photos/", f"3 photographs in {archive.name}"]
    assert data[0].notes == data[1].notes == ("1 .txt skipped: not an image type that is read",)


def test_sample_photos_are_the_ones_scikit_learn_loads() -> None:
    from sklearn.datasets import load_sample_images

    ours, theirs = sample_photos(), load_sample_images()
    assert [path.name for path in ours.paths] == [Path(name).name for name in theirs.filenames]
    for index, image in enumerate(theirs.images):
        assert ours[index].tobytes() == image.tobytes()


@pytest.mark.parametrize("installed", [False, True])
def test_missing_sample_photos_name_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: bool
) -> None:
    spec = ModuleSpec("sklearn", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(photos_sample, "find_spec", lambda name: spec if installed else None)
    assert fault_of(sample_photos) == (
        "data=photos_sample needs china.jpg and flower.jpg of scikit-learn, which are not installed: "
        "run `pip install --force-reinstall scikit-learn`, or use data=photos data.root=FOLDER"
    )


def test_a_run_says_once_what_it_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))  # no UTF-8
    root.mkdir()
    for name in ("a.png", "b.png"):
        pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / name)
    for name in ("c.heic", "[red]"):
        (root / name).touch()
    folder, overrides = RunFolder(tmp_path / "run"), ["data=photos", f"data.root='{root}'", "epochs=1"]
    assert run(tiny(*overrides), folder, overrides) == 0
    lines = [
        "1 without a suffix skipped: not an image type that is read",
        "1 .heic skipped: not an image type that is read",
    ]
    out, errors = capsys.readouterr()
    assert "Logging error" not in errors
    assert [out.count(line) for line in lines] == [1, 1]
    assert json.loads(folder.identity.read_text())["notes"] == lines
    assert all(line in folder.log.read_text() for line in lines)
