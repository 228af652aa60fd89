"""MotionSense in its own layout: windows as the phone measured them, of people apart."""

from pathlib import Path

import numpy as np
import pytest
from data_builders import samples
from motionsense_builders import TOP, as_folder, as_zip, fault, people_in, read, recording, study

from duograd.data.load import load
from duograd.data.sources.motionsense import MotionSense


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return as_zip(tmp_path / "study.zip", study())


def test_windows_are_what_the_phone_measured(root: Path) -> None:
    dataset = read(root, channels=["gravity.x", "gravity.y", "total_acceleration.x", "rotationRate"])
    for split in (dataset.train, dataset.validation, dataset.test):
        inputs, targets = samples(split)
        assert inputs.shape[1:] == (8, 6)
        np.testing.assert_array_equal(inputs[..., 1], np.repeat(targets[:, None], 8, axis=1))  # the right activity
        np.testing.assert_array_equal(inputs[..., 0], np.repeat(inputs[:, :1, 0], 8, axis=1))  # of one person, whole
        rows = (inputs[..., 2] - inputs[..., 0]) * 100
        np.testing.assert_allclose(np.diff(rows, axis=1), 1, atol=1e-9)  # eight rows on end: one recording
        np.testing.assert_array_equal(np.unique(inputs[..., 3:]), [0.006, 0.007, 0.008])
    assert dataset.channels == (
        *("gravity.x", "gravity.y", "total_acceleration.x"),
        *("rotationRate.x", "rotationRate.y", "rotationRate.z"),
    )
    assert dataset.units == "g, rad/s"
    assert (dataset.name, dataset.synthetic, len(dataset.classes)) == ("motionsense", False, 6)
    assert dataset.gallery["windows"].shape == (6, 8, 6)
    np.testing.assert_array_equal(dataset.gallery["windows"][:, 0, 1], np.arange(6))


def test_people_are_apart(root: Path) -> None:
    for seed in range(4):
        dataset = read(root, channels=["gravity"], seed=seed, test_fraction=0.4)
        parts = [people_in(split) for split in (dataset.train, dataset.validation, dataset.test)]
        assert [len(part) for part in parts] == [2, 1, 2]
        assert set.union(*parts) == {1, 2, 3, 4, 5}
    named = read(root, channels=["gravity"], validation_people=[4], test_people=[2, 1])
    assert [people_in(split) for split in (named.train, named.validation, named.test)] == [{3, 5}, {4}, {1, 2}]
    assert named.source == "MotionSense (study.zip), 5 people: validation 4; test 1, 2"
    alone = read(root, channels=["gravity"], people=[2, 5], validation_fraction=0, test_fraction=0)
    assert (people_in(alone.train), alone.validation, alone.test) == ({2, 5}, None, None)
    assert alone.source == "MotionSense (study.zip), 2 people"


def test_every_window_or_as_many_of_each_class(tmp_path: Path) -> None:
    root = as_zip(tmp_path / "uneven.zip", study(**{f"wlk_9/sub_{k}.csv": recording(k, 5, 60) for k in range(1, 6)}))
    everything, even = read(root), read(root, balance="undersample")
    for all_of, some_of in ((everything.train, even.train), (everything.test, even.test)):
        counts = np.bincount(samples(all_of)[1])
        assert counts[5] > 2 * counts[0]
        np.testing.assert_array_equal(np.bincount(samples(some_of)[1]), counts.min())
        assert {w.tobytes() for w in some_of.inputs} <= {w.tobytes() for w in all_of.inputs}
    assert read(root, balance="undersample").digest == even.digest
    assert read(root, step=8).train.inputs.shape[0] < len(everything.train)


def test_layouts_give_the_same_data(tmp_path: Path) -> None:
    files = study()
    mac = {f"__MACOSX/{TOP}/dws_1/._sub_1.csv": "\0\5\26\7", f"{TOP}/.DS_Store": "\0", f"{TOP}/dws_1/": ""}
    gyroscope = {f"B_Accelerometer_data/{name}": "x,y\n1,2\n" for name in files}
    layouts = [
        as_zip(tmp_path / "a.zip", files),
        as_zip(tmp_path / "b.zip", files, top=""),
        as_zip(tmp_path / "c.zip", {**{f"{TOP}/{k}": v for k, v in files.items()}, **mac, **gyroscope}, top=""),
        as_zip(tmp_path / "d.zip", files, top=f"./{TOP}/"),
        as_folder(tmp_path / "e", files),
        as_folder(tmp_path / "f" / TOP, files).parent,
        as_folder(tmp_path / "g" / TOP / TOP, {**files, "notes.txt": ""}).parents[1],
    ]
    (tmp_path / "clone").mkdir()
    layouts.append(as_zip(tmp_path / "clone" / f"{TOP}.zip", files).parent)
    assert len({read(root).digest for root in layouts}) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_standardising_is_fitted_on_the_training_people(root: Path, dtype: str) -> None:
    keys = {
        "channels": ["gravity.x", "gravity.y", "total_acceleration.x"],
        "test_people": [5],
        "validation_people": [4],
    }
    raw, scaled = read(root, **keys), read(root, dtype, standardise=True, **keys)
    mean, std = raw.train.inputs.mean((0, 1)), raw.train.inputs.std((0, 1))
    assert mean[0] < 3  # of people 1, 2 and 3 alone
    for one, other in ((raw.train, scaled.train), (raw.test, scaled.test)):
        assert samples(other)[0].dtype == np.dtype(dtype)
        np.testing.assert_allclose(
            samples(other)[0], (samples(one)[0] - mean) / std, atol=1e-5 if dtype == "float32" else 1e-12
        )
    np.testing.assert_array_equal(scaled.gallery["windows"], raw.gallery["windows"].astype(dtype))
    assert scaled.units == "g, standardised"
    assert fault(root, channels=["attitude"], standardise=True).startswith(
        "channel 'attitude.roll' is 0 in every training window, so it cannot be standardised: leave that channel out,"
    )


def test_real_recordings(shared_data: Path) -> None:
    dataset = load(MotionSense(root=str(shared_data / "motionsense_subjects_1-4.zip"), test_people=[2]))
    inputs, targets = samples(dataset.train)
    assert inputs.shape[1:] == (150, 3)
    assert inputs.dtype == np.float32
    assert len(set(np.bincount(targets).tolist())) == 1
    assert dataset.channels == ("total_acceleration.x", "total_acceleration.y", "total_acceleration.z")
    still = inputs[(targets == 2) | (targets == 3)]
    np.testing.assert_allclose(np.linalg.norm(still.mean(axis=1), axis=1), 1, atol=0.05)  # at rest: 1 g


def test_real_windows_are_those_of_the_course_form(shared_data: Path) -> None:
    """activity_150x3.h5 was cut from such recordings: some of its standing windows lie in person 1's, row for row."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(shared_data / "activity_150x3.h5") as file:
        windows = file["trX"][file["trY"][:, 3] == 1]
    zipped = shared_data / "motionsense_subjects_1-4.zip"
    keys = {"people": [1], "test_people": [], "validation_people": [], "balance": "none", "step": 1, "window": 2}
    pairs = load(MotionSense(root=str(zipped), **keys))
    rows = pairs.train.inputs[pairs.train.targets == 3].reshape(-1, 6)
    known = {row.tobytes() for row in np.round(rows, 3)}
    is_known = [np.round(window[:2].reshape(6), 3).tobytes() in known for window in windows]
    assert sum(is_known) > 10
