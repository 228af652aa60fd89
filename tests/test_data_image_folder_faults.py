"""What is wrong with a tree of images, told in one line that names it."""

import shutil

import pytest
from image_tree_builders import FEW, fault, grow, paint, tree, zipped
from PIL import Image

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def test_images_of_mixed_size_are_named(tmp_path):
    grow(tmp_path, {"cat": 4, "dog": 4})
    paint(tmp_path / "cat" / "2.png", 3, height=7, width=9)
    for order in range(4):  # whichever image is read first
        line = fault(tmp_path, seed=order, validation_fraction=0.0, test_fraction=0.25)
        assert "cat/2.png" in line
        assert "9×7" in line
        assert "6×6" in line
        assert line.endswith("give images of one size, or have all of them scaled, data.size=6")
    assert tree(tmp_path, size=6, validation_fraction=0.0, test_fraction=0.0).train.inputs.shape[2:] == (6, 6)


def test_a_class_without_images(tmp_path):
    grow(tmp_path, {"cat": 4, "dog": 4})
    (tmp_path / "eel").mkdir()
    line = f"data.root={tmp_path}: class 'eel' has no images: give some, or remove the folder"
    assert fault(tmp_path) == line
    (tmp_path / "eel" / "notes.txt").touch()
    assert fault(tmp_path) == line
    assert "class 'eel' has no images" in fault(zipped(tmp_path, tmp_path.parent / "eel.zip"))


def test_train_and_test_need_the_same_classes(tmp_path):
    grow(tmp_path / "train", FEW)
    grow(tmp_path / "test", {"cat": 2, "eel": 2})
    assert fault(tmp_path) == (
        f"data.root={tmp_path}: class 'eel' is in test/ but not in train/: give both the same folders"
    )
    shutil.rmtree(tmp_path / "test" / "eel")
    paint(tmp_path / "test" / "eel2" / "1.png", 1)
    assert "class 'eel2' is in test/" in fault(tmp_path)
    shutil.rmtree(tmp_path / "test" / "eel2")
    (tmp_path / "test" / "dog").mkdir()
    assert f"data.root={tmp_path}/test: class 'dog' has no images" in fault(tmp_path)
    shutil.rmtree(tmp_path / "test" / "dog")
    grow(tmp_path / "test", {"ant": 2})
    grow(tmp_path / "train", {"ant": 2})
    assert "class 'dog' is in train/ but not in test/" in fault(tmp_path)


@pytest.mark.parametrize(
    ("folders", "line"),
    [
        (["train", "extra"], " holds extra/ beside train/: give train/, val/ and test/ alone, or one folder per class"),
        (["Train", "training"], " holds Train/ beside training/, which mean the same: leave one"),
        (
            ["seg_train", "seg_test", "seg_pred"],
            " holds seg_pred/ beside seg_train/: give train/, val/ and test/ alone",
        ),
        (["val", "test"], " holds test/ and val/, but no train/: give train/ too, or one folder per class"),
        (["images", "masks"], ": images/, masks/ hold folders of the same names, cat, dog: which are classes is not"),
        (
            ["part1", "part2", "part2/eel"],
            ": part1/, part2/ hold folders of the same names, cat, dog: which are classes is",
        ),
        ([".", "pets"], ": pets/ holds cat, dog again, as folders beside it are called: leave one copy"),
    ],
)
def test_folders_of_which_it_is_not_clear_what_they_are(tmp_path, folders, line):
    for folder in folders:
        grow(tmp_path / folder, FEW)
    assert fault(tmp_path).startswith(f"data.root={tmp_path}{line}")


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ({}, "holds no images: give DIR/<class>/<image>"),
        ({"cat": 3}, "holds one class, 'cat': give two or more"),
        ({".": 3}, "1.png lies in no class folder"),
    ],
)
def test_a_folder_without_classes(tmp_path, counts, line):
    assert line in fault(grow(tmp_path, counts)).replace("0.png", "1.png")


def test_other_files_and_tests_without_classes(tmp_path):
    grow(tmp_path / "train", FEW)
    paint(tmp_path / "test" / "1.png", 1)
    line = f"data.root={tmp_path}/test: 1.png lies in no class folder: move it into one, or remove it"
    assert fault(tmp_path) == line
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "1.heic").touch()
    assert fault(tmp_path / "phone").endswith(".tif, .tiff, .webp (it holds 1 .heic)")


def test_an_image_beside_the_split_folders(tmp_path):
    grow(tmp_path / "train", FEW)
    grow(tmp_path / "test", FEW)
    paint(tmp_path / "logo.png", 1)
    assert fault(tmp_path) == f"data.root={tmp_path}: logo.png lies in no class folder: move it into one, or remove it"


def test_an_image_beside_the_class_folders(tmp_path):
    paint(grow(tmp_path, FEW) / "x.png", 1)
    assert fault(tmp_path) == (f"data.root={tmp_path}: x.png lies in no class folder: move it into one, or remove it")


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_an_unreadable_image_is_named(tmp_path, form):
    (grow(tmp_path / "pets", FEW) / "dog" / "3.png").write_bytes(b"no image")
    root = tmp_path / "pets" if form == "folder" else zipped(tmp_path / "pets", tmp_path / "pets.zip")
    assert fault(root, test_fraction=0.0, validation_fraction=0.0) == (
        "dog/3.png cannot be read as an image (no image format known to Pillow): repair it or remove it"
    )


def test_too_many_pixels_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30)
    assert "more than 30 pixels, the limit" in fault(grow(tmp_path, FEW))


def test_damaged_and_missing_archives(tmp_path):
    path = zipped(grow(tmp_path / "pets", FEW), tmp_path / "pets.zip")
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)  # in the first image
    path.write_bytes(content)
    assert "cannot be read" in fault(path, test_fraction=0.0, validation_fraction=0.0)
    path.write_bytes(content[:500])
    assert f"{path} cannot be read as a zip archive (" in fault(path)
    assert "does not exist: give a folder, or a zip or tar archive, with one folder per class" in fault(
        tmp_path / "gone"
    )


def test_too_few_images_for_a_split(tmp_path):
    grow(tmp_path, {"cat": 2, "dog": 20})
    assert fault(tmp_path) == (
        "class 'cat': data.test_fraction=0.2 of 2 samples leaves none for test: "
        "choose another fraction, or 0 for no test split"
    )
    assert "class 'cat': data.validation_fraction=0.1 of 2 samples leaves none for validation" in fault(
        tmp_path, test_fraction=0.0
    )


def test_no_test_split_is_possible(tmp_path):
    assert tree(grow(tmp_path, FEW), test_fraction=0.0).test is None
