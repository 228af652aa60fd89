"""Images in one folder per class, in a folder or a zip archive: found, split and scaled."""

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from image_tree_builders import FEW, fault, grow, numbers, paint, per_class, tree, zipped
from PIL import Image

from duograd.data.formats.files import FolderFiles
from duograd.data.formats.image_bytes import ImageReader
from duograd.data.formats.image_files import read_one
from duograd.data.load import load
from duograd.data.sources.image_folder import ImageFolder

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def test_one_tree_is_split_class_by_class(tmp_path):
    dataset = tree(grow(tmp_path / "pets", FEW), test_fraction=0.2, validation_fraction=0.25)
    assert [per_class(one) for one in (dataset.train, dataset.validation, dataset.test)] == [
        {0: 6, 1: 12},
        {0: 2, 1: 4},
        {0: 2, 1: 4},
    ]
    splits = [numbers(one) for one in (dataset.train, dataset.validation, dataset.test)]
    assert sorted([*splits[0], *splits[1], *splits[2]]) == list(range(1, 31))
    for split, images in zip((dataset.train, dataset.validation, dataset.test), splits, strict=True):
        assert (split.targets == (np.array(images) > 10)).all()  # the first ten are cats
    assert dataset.classes == ("cat", "dog")
    assert dataset.source == "images in pets, 30 images: 18 train, 6 validation, 6 test"


def test_train_and_test_stay_what_they_are(tmp_path):
    grow(tmp_path / "train", FEW)
    grow(tmp_path / "test", {"cat": 3, "dog": 2}, start=100)
    dataset = tree(tmp_path, validation_fraction=0.0)
    assert dataset.validation is None
    assert sorted(numbers(dataset.test)) == [101, 102, 103, 104, 105]
    assert sorted(numbers(dataset.train)) == list(range(1, 31))
    some = tree(tmp_path, validation_fraction=0.1)
    assert sorted(numbers(some.train) + numbers(some.validation)) == list(range(1, 31))
    assert per_class(some.validation) == {0: 1, 1: 2}


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("split", [False, True])
def test_folders_around_the_tree_and_zip_archives_change_nothing(tmp_path, depth, form, split):
    def make(root):
        if split:
            grow(root / "test", {"cat": 3, "dog": 3}, start=100)
        grow(root / "train" if split else root, FEW)

    make(tmp_path / "plain")
    wrapped = tmp_path / "root"
    make(wrapped.joinpath(*"ab"[:depth]))
    (wrapped / "__MACOSX").mkdir()
    (wrapped / "__MACOSX" / "._1.png").touch()
    (wrapped / ".DS_Store").touch()
    for hidden in (".thumbnails", "@eaDir", "$RECYCLE.BIN"):
        paint(wrapped / hidden / "cat" / "1.png", 99)
    root = wrapped if form == "folder" else zipped(wrapped, tmp_path / "root.zip")
    expected, dataset = tree(tmp_path / "plain"), tree(root)
    for one, other in zip((expected.train, expected.test), (dataset.train, dataset.test), strict=True):
        np.testing.assert_array_equal(one.inputs, other.inputs)
        np.testing.assert_array_equal(one.targets, other.targets)


def test_images_in_folders_of_a_class_are_of_that_class(tmp_path):
    grow(tmp_path, {"cat": 4, "dog/small": 4})
    grow(tmp_path, {"dog/large": 4}, start=20)
    dataset = tree(tmp_path, test_fraction=0.0, validation_fraction=0.25)
    assert dataset.classes == ("cat", "dog")
    assert per_class(dataset.train) == {0: 3, 1: 6}


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("Training", None, "Testing"),
        ("TRAIN", "Val", "Test"),
        ("train", "valid", None),
        ("seg_train/seg_train", None, "seg_test/seg_test"),
        ("train-images", "validation-images", "test-images"),
    ],
)
def test_folders_say_what_trains_validates_and_tests(tmp_path, train, validation, test):
    grow(tmp_path / train, FEW)
    given = {"validation": validation, "test": test}
    for start, folder in zip((100, 200), given.values(), strict=True):
        if folder:
            grow(tmp_path / folder, {"cat": 3, "dog": 2}, start)
    dataset = tree(tmp_path, test_fraction=0.2, validation_fraction=0.25)
    assert dataset.classes == ("cat", "dog")
    for name, folder in given.items():
        split = getattr(dataset, name)
        expected = {0: 3, 1: 2} if folder else {0: 2, 1: 4} if name == "test" or test is None else {0: 2, 1: 5}
        assert per_class(split) == expected, name
    left = sum(len(getattr(dataset, name)) for name, folder in given.items() if not folder)
    assert len(dataset.train) == 30 - left


def test_a_linked_class_folder_is_followed(tmp_path):
    grow(tmp_path / "else", {"dog": 5})
    grow(tmp_path / "pets", {"cat": 5}, start=10)
    (tmp_path / "pets" / "dog").symlink_to(tmp_path / "else" / "dog")
    assert tree(tmp_path / "pets", validation_fraction=0.0).classes == ("cat", "dog")


def test_what_is_skipped_is_counted_by_reason(tmp_path):
    grow(tmp_path, FEW)
    for number, name in enumerate(("a.heic", "b.HEIC", "notes.txt", "README")):
        (tmp_path / "cat" / name).write_text(str(number))
    (tmp_path / "cat" / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "again").symlink_to(tmp_path / "dog")
    os.mkfifo(tmp_path / "dog" / "pipe.png")
    dataset = tree(tmp_path)
    assert dataset.notes == (
        "1 without a suffix skipped: not an image type that is read",
        "2 .heic skipped: not an image type that is read",
        "1 .txt skipped: not an image type that is read",
        "1 skipped: links that lead nowhere",
        "1 skipped: links to what is read already",
        "1 skipped: neither files nor folders",
    )
    assert (dataset.classes, dataset.digest) == (("cat", "dog"), tree(grow(tmp_path.parent / "plain", FEW)).digest)


def test_classes_that_differ_by_case_alone_are_two_and_it_is_said(tmp_path):
    dataset = tree(grow(tmp_path, {"Cat": 4, "cat": 4, "dog": 4}), validation_fraction=0.0)
    assert dataset.classes == ("Cat", "cat", "dog")
    assert dataset.notes == ("classes Cat and cat differ by case alone, and are two: rename one if they are the same",)


def test_every_type_of_image_is_read(tmp_path):
    suffixes = ["jpg", "jfif", "jpe", "jp2", "bmp", "dib", "gif", "pgm", "ppm", "tif", "tga", "webp", "TIFF"]
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        for suffix in suffixes:
            pixels = np.random.default_rng(len(suffix)).integers(0, 256, (6, 6), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / kind / f"{suffix}.{suffix}")
    assert per_class(tree(tmp_path, validation_fraction=0.0, test_fraction=0.0).train) == {0: 13, 1: 13}


@pytest.mark.parametrize("background", ["white", "grey", "black"])
def test_what_is_transparent_shows_the_background(tmp_path, background):
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        for number in range(3):
            pixels = np.zeros((6, 6, 4), np.uint8)
            pixels[number, 2, 3] = 255  # a black dot
            Image.fromarray(pixels).save(tmp_path / kind / f"{number}.png")
    images = tree(tmp_path, validation_fraction=0.0, test_fraction=0.0, background=background, normalise="scale").train
    assert np.unique(images.inputs).tolist() == sorted({0, {"white": 255, "grey": 128, "black": 0}[background]})


def test_images_without_any_contrast_are_not_to_be_trained_on(tmp_path):
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        for number in range(3):
            Image.new("RGB", (6, 6)).save(tmp_path / kind / f"{number}.png")
    assert fault(tmp_path, validation_fraction=0.0, test_fraction=0.0) == (
        "every training image is one flat rgb(0, 0, 0): give images that differ"
    )


def test_a_class_of_a_name_that_is_no_utf_8(tmp_path):
    grow(tmp_path, {"dog": 4})
    shutil.copytree(tmp_path / "dog", os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    (tmp_path / "dog" / "3.png").write_bytes(b"no image")
    assert fault(tmp_path, validation_fraction=0.0, test_fraction=0.0).startswith("dog/3.png cannot be read")
    (tmp_path / "dog" / "3.png").unlink()
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"_\xe9"))
    shutil.copytree(tmp_path, root)
    assert tree(root, validation_fraction=0.0, test_fraction=0.0).source.endswith("\\xe9, 7 images: 7 train")
    assert tree(tmp_path, validation_fraction=0.0, test_fraction=0.0).classes == ("caf\\xe9", "dog")


def test_names_are_in_natural_order(tmp_path):
    dataset = tree(grow(tmp_path, {"n10": 2, "n9": 2, "a2b": 2, "a10b": 2}), validation_fraction=0.0, test_fraction=0.5)
    assert dataset.classes == ("a2b", "a10b", "n9", "n10")


def test_folders_called_train_can_be_classes(tmp_path):
    dataset = tree(grow(tmp_path, {"train": 5, "ship": 5, "test": 5}), validation_fraction=0.0)
    assert dataset.classes == ("ship", "test", "train")


def test_the_seed_decides_split_and_order(tmp_path):
    grow(tmp_path, FEW)
    first, again, other = (tree(tmp_path, seed=seed) for seed in (1, 1, 2))
    assert numbers(first.train) == numbers(again.train) != numbers(other.train)
    assert sorted(numbers(first.test)) != sorted(numbers(other.test))
    assert first.digest == again.digest


def test_count_takes_images_of_all_classes_and_nothing_from_the_others(tmp_path):
    grow(tmp_path, {"cat": 60, "dog": 60})
    whole, few = tree(tmp_path), tree(tmp_path, count=20, test_count=5)
    assert numbers(few.train) == numbers(whole.train)[:20]
    assert numbers(few.validation) == numbers(whole.validation)
    assert numbers(few.test) == numbers(whole.test)[:5]
    assert set(per_class(few.train)) == {0, 1}
    assert fault(tmp_path, count=87).startswith("data.count=87 is more than the 86 train images that there are")


def test_without_a_size_pixels_are_as_they_are(tmp_path):
    grow(tmp_path, {"cat": 4, "dog": 4})
    for path in tmp_path.rglob("*.png"):
        paint(path, int(path.stem) + 1 + 10 * (path.parent.name == "dog"), height=5, width=9)
    dataset = tree(tmp_path, validation_fraction=0.0, test_fraction=0.25)
    assert dataset.train.inputs.shape == (6, 3, 5, 9)
    assert dataset.train.inputs.flags.c_contiguous
    number = numbers(dataset.train)[0]
    expected = np.random.default_rng(number).integers(0, 256, (5, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(dataset.train.inputs[0, :, 2, 3], expected[2, 3])
    assert dataset.image_shape == (5, 9)


def test_grey_images_get_three_channels(tmp_path):
    grow(tmp_path, {"cat": 4, "dog": 4})
    for path in tmp_path.rglob("*.png"):
        with Image.open(path) as image:
            grey = image.convert("L")
        grey.save(path)
    images = tree(tmp_path, validation_fraction=0.0, test_fraction=0.0).train.inputs
    np.testing.assert_array_equal(images[:, 0], images[:, 2])


def test_a_size_cuts_the_square_in_the_middle(tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, :20], wide[:, 20:40], wide[:, 40:] = RED, GREEN, BLUE
    Image.fromarray(wide).save(tmp_path / "wide.png")
    Image.fromarray(wide.transpose(1, 0, 2)).save(tmp_path / "tall.png")
    for name in ("wide.png", "tall.png"):
        for size in (4, 20, 32):
            image = read_one(FolderFiles(tmp_path), name, size, ImageReader())
            np.testing.assert_array_equal(image, np.full((size, size, 3), GREEN))


def test_scaling_down_averages(tmp_path):
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    np.testing.assert_allclose(read_one(FolderFiles(tmp_path), "stripes.png", 8, ImageReader()), 127.5, atol=8)


def test_real_images(shared_data):
    root = shared_data / "cifar10_jpeg_imagefolder.zip"
    dataset = load(ImageFolder(root=str(root), count=300, test_count=50, validation_fraction=0.002))
    assert dataset.classes[:3] == ("airplane", "automobile", "bird")
    assert dataset.source == "images in cifar10_jpeg_imagefolder.zip, 450 images: 300 train, 100 validation, 50 test"
    assert dataset.train.inputs.shape == (300, 3, 32, 32)
    with zipfile.ZipFile(root) as archive:
        assert len(archive.namelist()) == 60_000
