"""From config to data set, for each source of patches."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from faults import fault_of
from PIL import Image

from duograd.data.dataset import DataSet
from duograd.data.errors import DataError
from duograd.data.load import digest, load
from duograd.data.patches import displayable
from duograd.data.sources.patches_h5 import PatchesH5
from duograd.data.sources.photos import Photos
from duograd.data.sources.photos_sample import PhotosSample
from duograd.data.sources.sklearn import Sklearn

ROOT = Path(__file__).parents[1]


@pytest.fixture
def h5(tmp_path: Path) -> Path:
    """A file of 40 whitened patches, 6 × 5 pixels."""
    path = tmp_path / "small.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.random.default_rng(0).standard_normal((40, 3, 6, 5)).astype(np.float32)
    return path


def by_hand(colour: np.ndarray) -> np.ndarray:
    """The preprocessing written out once more, plainly; colour (N, 3, H, W) -> (N, H·W)."""
    red, green, blue = colour.astype(np.float64).transpose(1, 0, 2, 3)
    grey = (0.2126 * red + 0.7152 * green + 0.0722 * blue).reshape(len(colour), -1)
    grey = grey - grey.mean(axis=1)[:, None]
    limit = 3 * np.sqrt(((grey - grey.mean()) ** 2).mean())
    grey = np.minimum(np.maximum(grey, -limit), limit)
    scaled: np.ndarray = 0.1 + 0.8 * (grey - grey.min()) / (grey.max() - grey.min())
    return scaled


def test_default_is_what_the_report_asks_for() -> None:
    dataset = load(PhotosSample())
    inputs = dataset.train.inputs
    assert inputs.shape == (10240, 256)
    assert inputs.dtype == np.float32
    assert inputs.flags.c_contiguous
    assert (inputs.max(), inputs.min()) == (np.float32(0.9), np.float32(0.1))  # the report prints 0.9 and 0.1
    assert (dataset.name, dataset.source) == ("photos_sample", "two photographs shipped with scikit-learn")
    assert (dataset.image_shape, dataset.synthetic) == ((16, 16), False)
    assert dataset.train.targets is None
    assert dataset.validation is None
    assert dataset.test is None


def test_inputs_are_the_preprocessed_patches(h5: Path) -> None:
    dataset = load(PatchesH5(path=str(h5)), "float64")
    with h5py.File(h5) as file:
        np.testing.assert_allclose(dataset.train.inputs, by_hand(file["data"][:]), rtol=1e-13)  # float64 rounding
    assert dataset.source == "small.h5"
    assert dataset.image_shape == (6, 5)


@pytest.mark.parametrize("dtype", ["float32", "float64", np.dtype("float32")])
def test_dtype(dtype: str, h5: Path) -> None:
    dataset = load(PatchesH5(path=str(h5), validation_fraction=0.25), dtype)
    assert dataset.validation is not None
    assert dataset.train.inputs.dtype == dataset.validation.inputs.dtype == np.dtype(dtype)


def test_same_seed_same_bytes_other_seed_other_bytes() -> None:
    first, again, other = (load(PhotosSample(count=50, seed=seed)) for seed in (1, 1, 2))
    assert first.train.inputs.tobytes() == again.train.inputs.tobytes()
    assert first.digest == again.digest != other.digest
    for name, pictures in first.gallery.items():
        assert pictures.tobytes() == again.gallery[name].tobytes()


def test_digest_is_known() -> None:
    assert (
        digest(np.array([[0.5, 0.25]], np.float32)) == "bfa5538a8f3284f3"
    )  # printf "\\0\\0\\0?\\0\\0\\200>" | sha256sum


def test_validation_lies_in_the_training_range() -> None:
    dataset = load(PhotosSample(count=400, validation_fraction=0.25))
    assert dataset.validation is not None
    assert (len(dataset.train), len(dataset.validation)) == (300, 100)
    for split in (dataset.train, dataset.validation):
        assert split.inputs.min() >= np.float32(0.1)
        assert split.inputs.max() <= np.float32(0.9)
        assert split.inputs.flags.c_contiguous
    assert (dataset.train.inputs.max(), dataset.train.inputs.min()) == (np.float32(0.9), np.float32(0.1))


def test_validation_patches_do_not_move_the_training_range(h5: Path) -> None:
    config = PatchesH5(path=str(h5), validation_fraction=0.25)
    before = load(config)
    with h5py.File(h5, "r+") as file:  # make the validation patches a hundred times larger
        colour = file["data"][:]
        held_out = np.sort(np.random.default_rng(config.seed).permutation(40)[:10])
        colour[held_out] *= 100
        file["data"][:] = colour
    after = load(config)
    assert after.digest == before.digest
    assert after.validation is not None
    assert after.validation.inputs.max() == np.float32(0.9)


def test_the_patches_do_not_depend_on_the_split() -> None:
    whole, parts = load(PhotosSample(count=60)), load(PhotosSample(count=60, validation_fraction=0.5))
    everything = {picture.tobytes() for picture in whole.gallery["colour"]}
    assert len(everything) == 60
    assert {picture.tobytes() for picture in parts.gallery["colour"]} < everything


def same_patches(dataset: DataSet) -> bool:
    """Whether each colour picture is the one that its grey picture was made from, pixels in the same places."""
    colour, grey = dataset.gallery["colour"].astype(float), dataset.gallery["grey"].astype(float)
    from_colour = colour @ [0.2126, 0.7152, 0.0722]
    return all(
        np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.9  # clipping bends both a little
        for one, other in zip(from_colour, grey, strict=True)
        if other.std() > 0.05  # the rest are too flat to tell
    )


def test_gallery_shows_the_same_training_patches_twice(h5: Path) -> None:
    for config in (PhotosSample(count=300), PatchesH5(path=str(h5), validation_fraction=0.25)):
        dataset = load(config)
        colour, grey = dataset.gallery["colour"], dataset.gallery["grey"]
        k, (height, width) = min(200, len(dataset.train)), dataset.image_shape
        assert colour.shape == (k, height, width, 3)
        assert grey.shape == (k, height, width)
        assert colour.min() >= 0
        assert colour.max() <= 1
        rows = {row.tobytes() for row in dataset.train.inputs}
        assert all(picture.tobytes() in rows for picture in grey)
        assert same_patches(dataset)


def test_displayable_leaves_pictures_alone_and_brings_whitened_patches_into_range() -> None:
    picture = np.linspace(0, 1, 12, dtype=np.float32).reshape(1, 3, 2, 2)
    np.testing.assert_array_equal(displayable(picture), picture.transpose(0, 2, 3, 1))
    two = np.array([-1.0, 1.0]).repeat(6).reshape(1, 3, 2, 2)  # mean 0, std 1: ±1 of ±3
    np.testing.assert_allclose(np.unique(displayable(two)), [0.5 - 1 / 6, 0.5 + 1 / 6], rtol=1e-14)
    np.testing.assert_array_equal(displayable(np.full((1, 3, 2, 2), 5.0)), np.full((1, 2, 2, 3), 0.5))


@pytest.mark.parametrize("number", [1, 2])
def test_folder_of_photos(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(number):
        pixels = np.random.default_rng(index).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    dataset = load(Photos(root=str(folder), count=30, size=8))
    assert dataset.train.inputs.shape == (30, 64)
    assert dataset.source == ("1 photograph in pictures/" if number == 1 else "2 photographs in pictures/")


def test_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, h5: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert load(PatchesH5(path=f"~/{h5.name}")).source == "small.h5"


def test_flat_images_are_an_error(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20), (90, 20, 200)).save(tmp_path / "flat.png")
    with pytest.raises(DataError, match="every image is one flat grey"):
        load(Photos(root=str(tmp_path), count=10, size=15))


def test_empty_split_is_an_error() -> None:
    with pytest.raises(DataError, match=r"data\.validation_fraction=0\.01 of 10 samples leaves none for validation"):
        load(PhotosSample(count=10, validation_fraction=0.01))


def test_too_little_memory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> DataSet:
        raise MemoryError

    monkeypatch.setattr(PhotosSample, "read", exhausted)
    monkeypatch.setattr(Sklearn, "read", exhausted)
    line = fault_of(load, PhotosSample())
    assert line == "data=photos_sample does not fit in memory: ask for fewer samples, data.count=N"
    assert fault_of(load, Sklearn()) == "data=sklearn does not fit in memory: give fewer samples"  # it has no count


def test_loading_photographs_imports_no_heavy_library() -> None:
    code = (
        "import sys; from duograd.data.sources.photos_sample import PhotosSample; from duograd.data.load import load; "
        "load(PhotosSample(count=10)); "
        "print(sorted({'sklearn', 'scipy', 'torch', 'h5py', 'duograd.models', 'duograd.runner'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("source", ["patches_h5", "photos"])
def test_real_patches(shared_data: Path, source: str) -> None:
    configs: dict[str, PatchesH5 | Photos] = {
        "patches_h5": PatchesH5(path=str(shared_data / "patches_16x16.h5")),
        "photos": Photos(root=str(shared_data / "photos")),
    }
    dataset = load(configs[source])
    inputs = dataset.train.inputs
    assert inputs.shape == (10240, 256)
    assert (inputs.max(), inputs.min()) == (np.float32(0.9), np.float32(0.1))
    assert dataset.source == {"patches_h5": "patches_16x16.h5", "photos": "12 photographs in photos/"}[source]
    assert same_patches(dataset)
