"""The course's form of activity windows is read as it is, and each fault of a file is one line."""

from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from data_builders import samples
from faults import fault_of

from duograd.data.dataset import DataSet
from duograd.data.load import load
from duograd.data.sources.activity_h5 import ActivityH5

N, T, S, C = 60, 7, 2, 6
SIX = ("downstairs", "jogging", "sitting", "standing", "upstairs", "walking")
NUMBERED = tuple(f"class_{c + 1}" for c in range(C))
CLASS = np.arange(N) % C
WINDOWS = (np.random.default_rng(0).standard_normal((N, T, S)) + CLASS[:, None, None]).astype(np.float32)
GOOD = {"trX": WINDOWS, "trY": np.eye(C)[CLASS], "tstX": WINDOWS[:18], "tstY": np.eye(C)[CLASS[:18]]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "activity.h5"


def write(path: Path, **changes: Any) -> Path:
    """The good file with some of its data sets replaced, or left out where None."""
    with h5py.File(path, "w") as file:
        for key, value in {**GOOD, **changes}.items():
            if value is not None:
                file[key] = value
    return path


def read(path: Path, dtype: str = "float32", **keys: Any) -> DataSet:
    return load(ActivityH5(path=str(path), **keys), dtype)


fault = partial(fault_of, read)


def test_reads_the_course_form(path: Path) -> None:
    dataset = read(write(path), validation_fraction=0)
    for split, n in ((dataset.train, N), (dataset.test, 18)):
        inputs, targets = samples(split)
        np.testing.assert_array_equal(inputs, WINDOWS[:n])
        np.testing.assert_array_equal(targets, CLASS[:n])
        assert (targets.dtype, inputs.flags.c_contiguous) == (np.int64, True)
    assert dataset.validation is None
    assert (dataset.name, dataset.source) == ("activity_h5", "activity.h5, one-hot labels")
    assert (dataset.classes, dataset.channels, dataset.units) == (NUMBERED, ("channel_1", "channel_2"), "")
    np.testing.assert_array_equal(dataset.gallery["windows"], WINDOWS[:C])
    assert not dataset.synthetic


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("form", ["u1", "i8", "f4", "column"])
def test_labels_as_numbers(path: Path, base: int, form: str) -> None:
    numbers = CLASS + base
    labels = numbers.reshape(-1, 1).astype("f8") if form == "column" else numbers.astype(form)
    dataset = read(write(path, trY=labels, tstY=labels[:18]), validation_fraction=0)
    np.testing.assert_array_equal(samples(dataset.train)[1], CLASS)
    np.testing.assert_array_equal(samples(dataset.test)[1], CLASS[:18])
    assert dataset.source == f"activity.h5, labels from {base}"


def test_classes_are_called_what_the_user_says(path: Path) -> None:
    three = np.arange(N) % 3
    write(path, trY=three, tstY=three[:18])
    assert read(path).classes == ("class_1", "class_2", "class_3")
    assert read(path, classes=["run", "sit", "walk"]).classes == ("run", "sit", "walk")
    for wrong in (["run", "sit"], ["run", "sit", "run"]):
        assert fault(path, classes=wrong) == (
            f"data.classes=[{','.join(wrong)}] does not name the 3 classes of {path}: "
            "give each one name of its own, in order"
        )


def test_the_course_s_own_file_has_its_names(path: Path) -> None:
    """By its form: 3000 and 600 windows of 150 × 3, six classes, one-hot."""
    many = np.arange(3000) % C
    windows = np.random.default_rng(0).standard_normal((3000, 150, 3), np.float32)
    course = {"trX": windows, "trY": np.eye(C)[many], "tstX": windows[:600], "tstY": np.eye(C)[many[:600]]}
    assert read(write(path, **course)).classes == SIX
    assert read(write(path, **{**course, "trY": many, "tstY": many[:600]})).classes == NUMBERED
    assert read(write(path, **{**course, "trX": windows[:, :128], "tstX": windows[:600, :128]})).classes == NUMBERED


@pytest.mark.parametrize(
    ("trY", "tstY", "form"),
    [
        (np.eye(C, dtype=bool)[CLASS], np.eye(C, dtype=bool)[CLASS[:18]], "one-hot labels"),
        (CLASS[None], CLASS[None, :18], "labels from 0"),
        (CLASS[None] + 1, CLASS[:18] + 1, "labels from 1"),
    ],
    ids=["truth values", "a row", "a row and numbers"],
)
def test_labels_as_other_programs_store_them(path: Path, trY: Any, tstY: Any, form: str) -> None:
    dataset = read(write(path, trY=trY, tstY=tstY), validation_fraction=0)
    np.testing.assert_array_equal(samples(dataset.train)[1], CLASS)
    np.testing.assert_array_equal(samples(dataset.test)[1], CLASS[:18])
    assert dataset.source == f"activity.h5, {form}"


@pytest.mark.parametrize("labels", [np.eye(C)[CLASS], CLASS[:, None] + 1, CLASS[None] + 1])
def test_matlab_s_order_of_axes_is_recognised(path: Path, labels: np.ndarray) -> None:
    tested = labels[:, :18] if len(labels) == 1 else labels[:18]
    plain = read(write(path, trY=labels, tstY=tested))
    matlab = read(write(path, trX=WINDOWS.T, tstX=WINDOWS[:18].T, trY=labels.T, tstY=tested.T))
    assert matlab.digest == plain.digest
    np.testing.assert_array_equal(samples(matlab.test)[1], samples(plain.test)[1])
    assert matlab.source == plain.source.replace("; validation", ", axes in MATLAB's order; validation")


def test_as_many_channels_as_windows_are_not_taken_for_matlab_s(path: Path) -> None:
    windows = np.random.default_rng(0).standard_normal((N, T, N), np.float32)
    write(path, trX=windows, tstX=windows[:18])
    np.testing.assert_array_equal(samples(read(path, validation_fraction=0).train)[0], windows)


def test_validation_is_drawn_from_each_class_alike(path: Path) -> None:
    first, again, other = (read(write(path), validation_fraction=0.2, seed=seed) for seed in (3, 3, 4))
    inputs, targets = samples(first.validation)
    np.testing.assert_array_equal(np.bincount(targets), [2] * C)
    np.testing.assert_array_equal(np.bincount(samples(first.train)[1]), [8] * C)
    held_out = {window.tobytes() for window in inputs}
    assert not held_out & {window.tobytes() for window in first.train.inputs}
    assert held_out == {window.tobytes() for window in samples(again.validation)[0]}
    assert first.digest == again.digest != other.digest
    assert first.source == "activity.h5, one-hot labels; validation windows drawn at random"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_standardising_is_fitted_on_the_training_windows(path: Path, dtype: str) -> None:
    write(path, tstX=WINDOWS[:18] + 100)
    raw = read(path, "float64")
    dataset = read(path, dtype, standardise=True)
    mean, std = raw.train.inputs.mean((0, 1)), raw.train.inputs.std((0, 1))
    for name in ("train", "validation", "test"):
        inputs, expected = samples(getattr(dataset, name))[0], (samples(getattr(raw, name))[0] - mean) / std
        assert (inputs.dtype, inputs.flags.c_contiguous) == (np.dtype(dtype), True)
        np.testing.assert_allclose(inputs, expected, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)
    np.testing.assert_array_equal(dataset.gallery["windows"], raw.gallery["windows"].astype(dtype))  # as recorded
    assert dataset.units == "standardised"


def test_missing_keys_and_files(path: Path) -> None:
    assert fault(path) == f"data.path={path} does not exist: give an HDF5 file"
    line = fault(write(path, tstY=None, tsty=GOOD["tstY"]))
    assert line.startswith(f"{path} has no data set 'tstY': did you mean 'tsty'?")


ONES = np.eye(C)[CLASS]
TWICE, HALF, NONE = ONES.copy(), ONES.copy(), ONES.copy()
TWICE[4, :2], HALF[4], NONE[4] = 1, 0.5 * ONES[4], 0
NOT_WHOLE, FAR = CLASS + 0.0, CLASS[:18].copy()
NOT_WHOLE[5], FAR[2] = 1.5, 6
HOLE = np.where(CLASS == 2, 3, CLASS)
FLIPPED = CLASS.copy()
FLIPPED[7] = 30_000_000
BAD = WINDOWS.copy()
BAD[3, 2, 1] = np.nan


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"tstX": WINDOWS[:18, :5]}, "'trX' has 7 time steps and {}: 'tstX' 5: give both in one form (N, T, S)"),
        ({"tstX": WINDOWS[:18, :, :1]}, "'trX' has 2 channels and {}: 'tstX' 1: give both in one form (N, T, S)"),
        ({"trX": WINDOWS[..., 0]}, "'trX' has shape (60, 7), expected (N, T, S): give a file in that form"),
        ({"trX": WINDOWS[:, 0, 0]}, "'trX' has shape (60), expected (N, T, S): give a file in that form"),
        ({"trX": np.float32(1)}, "'trX' has shape (), expected (N, T, S): give a file in that form"),
        ({"trX": BAD}, "'trX' has 1 value that is NaN or infinite as float32, the first at [3, 2, 1]: repair"),
        ({"trY": ONES[:50]}, "'trX' has 60 windows and {}: 'trY' 50 labels: give each window one label"),
        ({"tstY": ONES}, "'tstX' has 18 windows and {}: 'tstY' 60 labels: give each window one label"),
        ({"trY": TWICE}, "'trY' row 4 is [1, 1, 0, 0, 1, 0], not one-hot: give each row a single 1, else 0"),
        ({"trY": HALF}, "'trY' row 4 is [0, 0, 0, 0, 0.5, 0], not one-hot: "),
        ({"trY": NONE}, "'trY' row 4 is [0, 0, 0, 0, 0, 0], not one-hot: "),
        ({"trY": ONES * np.nan}, "'trY' row 0 is [nan, nan, nan, nan, nan, nan], not one-hot: "),
        ({"tstY": CLASS[:18]}, "'trY' has shape (60, 6) and {}: 'tstY' (18,): give both as one-hot rows, or both as"),
        ({"tstY": ONES[:18, :5]}, "'trY' has 6 columns and {}: 'tstY' 5: give both one column per class"),
        ({"trY": NOT_WHOLE, "tstY": CLASS[:18]}, "'trY' row 5 is 1.5, not a whole number: give class numbers"),
        ({"trY": CLASS - 1, "tstY": CLASS[:18]}, "'trY' has labels from -1: count the classes from 0 or from 1"),
        ({"trY": CLASS + 2, "tstY": CLASS[:18] + 2}, "'trY' has labels from 2: count the classes from 0 or from 1"),
        ({"trY": CLASS, "tstY": FAR}, "'tstY' has label 6, outside the classes 0 to 5 of {}: 'trY': give training"),
        ({"trY": FLIPPED, "tstY": CLASS[:18]}, "'trY' has label 30000000, but 60 samples of 7 different labels: count"),
        ({"trX": 0 * WINDOWS}, "'trX' holds nothing but zeros: give a file that was filled"),
        ({"trY": ONES[:, :, None]}, "'trY' has shape (60, 6, 1), expected (N, C): give a file in that form"),
    ],
)
def test_shapes_and_labels_that_do_not_fit(path: Path, changes: dict[str, Any], line: str) -> None:
    assert fault(write(path, **changes)).startswith(f"{path}: {line.format(path)}")


def test_a_class_missing_from_a_split_is_named(path: Path) -> None:
    write(path, trY=HOLE, tstY=CLASS[:18])
    assert fault(path) == "class 'class_3' has no training samples: give some of each of the 6 classes"
    write(path, tstY=np.eye(C)[HOLE[:18]])
    assert fault(path) == (
        "data=activity_h5: the test split has no windows of class 'class_3': "
        "give data that holds each of class_1, class_2, class_3, class_4, class_5, class_6"
    )
    line = fault(write(path), validation_fraction=0.04)
    assert line.startswith("class 'class_1': data.validation_fraction=0.04 of 10 samples leaves none for validation")


def test_file_in_the_course_form(shared_data: Path) -> None:
    dataset = read(shared_data / "activity_150x3.h5")
    assert [len(samples(split)[0]) for split in (dataset.train, dataset.validation, dataset.test)] == [2700, 300, 600]
    for split, each in ((dataset.train, 450), (dataset.validation, 50), (dataset.test, 100)):
        np.testing.assert_array_equal(np.bincount(samples(split)[1]), [each] * C)
    assert dataset.train.inputs.shape[1:] == (150, 3)
    assert dataset.classes == SIX
    loudest = [np.std(dataset.train.inputs[samples(dataset.train)[1] == c], axis=1).mean() for c in range(C)]
    assert dataset.classes[int(np.argmax(loudest))] == "jogging"
    assert {dataset.classes[c] for c in np.argsort(loudest)[:2]} == {"sitting", "standing"}
