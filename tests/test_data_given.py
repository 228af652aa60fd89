"""What users bring as they have it: splits that are given, sequences and images as arrays, new samples to predict."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from duograd.data.errors import DataError
from duograd.runner import build
from duograd.runner.compose import compose
from duograd.runner.errors import UserError
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

N = 48
RNG = np.random.default_rng(0)
CLASS = np.arange(N) % 3
WORDS = np.array(["left", "middle", "right"])[CLASS]
PARTS = np.array(["train", "Training", "val", "test", "train", "test"])[np.arange(N) // 3 % 6]
PLACES = {"train": [0, 1, 4], "val": [2], "test": [3, 5]}
SEQUENCES = RNG.standard_normal((N, 8, 2)) + 3 * np.sin(np.arange(8) * (1 + CLASS[:, None]))[:, :, None]
IMAGES = (RNG.random((N, 8, 8, 3)) * 100 + 50 * CLASS[:, None, None, None]).astype(np.uint8)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(*keys: str):
    return build.data_set(compose(["task=table", "tracking=none", "dtype=float64", *keys]))


def frame(**columns):
    import pandas as pd

    return pd.DataFrame({"a": RNG.standard_normal(N), "b": np.arange(N), "side": WORDS, "part": PARTS, **columns})


def test_splits_are_those_of_a_column_or_an_array():
    frame().to_csv("t.csv", index=False)
    keys = ["data.target=side", "data.split=part", "data.drop=[a]", "data.standardise=false"]
    data = read("data=table", "data.path=t.csv", *keys)
    assert data.columns == ("b",)  # the column of the splits is no input
    assert list(data.splits) == ["train", "val", "test"]
    for name, split in data.splits.items():
        assert set(split.inputs[:, 0] // 3 % 6) == set(PLACES[name])
    np.savez("x.npz", x=np.arange(N)[:, None], y=WORDS, part=PARTS)
    again = read("data=arrays", "data.path=x.npz", "data.split=part", "data.standardise=false")
    assert again.digest == data.digest


def test_splits_are_those_of_the_arrays_of_a_file():
    x, first = np.arange(N)[:, None], slice(36)
    np.savez("x.npz", x_train=x[first], y_train=WORDS[first], x_test=x[36:], y_test=WORDS[36:])
    keys = ["data=arrays", "data.path=x.npz", "data.standardise=false"]
    data = read(*keys)  # validation is drawn from those that train
    assert sorted(data.test.inputs[:, 0]) == list(range(36, N))
    assert len(data.train) + len(data.validation) == 36
    assert {int(k) % 3 for k in data.validation.inputs[:, 0]} == {0, 1, 2}  # of each class
    assert list(read(*keys, "data.validation_fraction=0").splits) == ["train", "test"]


@pytest.mark.parametrize(
    ("arrays", "keys", "message"),
    [
        (
            {"x": SEQUENCES, "y": CLASS, "p": WORDS},
            ["data.split=p"],
            "data.split=p says 'left' of sample 1: write train",
        ),
        ({"x": SEQUENCES, "y": CLASS, "p": ["test"] * N}, ["data.split=p"], "data.split=p has no sample to train on"),
        ({"x": SEQUENCES, "y": CLASS, "p": PARTS[1:]}, ["data.split=p"], "has 48 inputs but 47 data.split: give each"),
        (
            {"x": SEQUENCES, "y": CLASS, "p": PARTS, "who": CLASS},
            ["data.split=p", "data.groups=who"],
            "data.groups=who draws the splits of x.npz, which has its own: leave it out",
        ),
        (
            {"x_train": SEQUENCES, "y_train": CLASS, "x_test": SEQUENCES[:, 1:], "y_test": CLASS},
            [],
            "x_test has samples (7, 2), others (8, 2)",
        ),
        ({"x_train": SEQUENCES, "y_train": CLASS[1:]}, [], "x_train has 48 samples, y_train 47"),
        ({"x": np.where(SEQUENCES[4, 2, 1] == SEQUENCES, np.inf, SEQUENCES), "y": CLASS}, [], "sample 5 at [3, 2] of"),
        ({"x": IMAGES[None], "y": CLASS}, [], "images (N, height, width, channels)"),
        (
            {"x": SEQUENCES, "y": CLASS},
            ["data.normalise=scale"],
            "x.npz has sequences (N, time, channels), but data.normalise=scale is for images",
        ),
    ],
)
def test_a_fault_is_one_line(arrays, keys, message):
    np.savez("x.npz", **arrays)
    with pytest.raises(DataError, match=re.escape(message)):
        read("data=arrays", "data.path=x.npz", *keys)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(
    ("x", "keys", "kind"),
    [
        (SEQUENCES, ["task=activity", "model=gru", "model.hidden_size=8"], "sequences"),
        (IMAGES, ["task=cnn", "model=convnet", "model.channels=[4]"], "images"),
    ],
)
def test_recurrent_and_convolutional_networks_learn_from_arrays(x, keys, kind, backend, tmp_path):
    np.savez("x.npz", x=x, y=CLASS)
    keys = [*keys, "data=arrays", "data.path=x.npz", "tracking=none", "batch_size=8", f"backend={backend}"]
    folder = RunFolder(tmp_path / "run")
    assert run(compose([*keys, "optimizer=adam", "optimizer.lr=0.02", "epochs=15"]), folder, []) == 0
    summary = json.loads(folder.summary.read_text())
    assert summary["metrics"]["train/accuracy"] > 0.8
    assert "could not be drawn" not in folder.log.read_text()
    config = compose(["task=table", *keys[-4:], "data=arrays", "data.path=x.npz"])
    with pytest.raises(UserError, match=rf"model=mlp takes vectors, but the samples of data=arrays are {kind}"):
        build.engine(config, build.data_set(config))


def test_arrays_are_on_one_scale_by_channel():
    np.savez("x.npz", x=IMAGES, y=CLASS)
    keys = ["task=cnn", "data=arrays", "data.path=x.npz", "dtype=float64"]
    report = build.data_set(compose(keys))  # whose network has its own wish
    np.testing.assert_allclose(report.train.inputs.mean(axis=0), 0, atol=1e-12)
    assert report.train.inputs.std() > 10
    data = build.data_set(compose([*keys, "model=convnet"]))
    assert data.train.inputs.shape[1:] == (3, 8, 8)
    np.testing.assert_allclose(data.train.inputs.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(data.train.inputs.std(axis=(0, 2, 3)), 1)
    seen = {image.tobytes() for image in data.train.inputs}
    assert seen <= {image.tobytes() for image in np.ascontiguousarray(data.prepare(IMAGES))}


def test_new_rows_of_a_table_are_prepared_as_those_it_was_learned_from():
    table = frame(word=np.array(["x", "y"])[np.arange(N) % 2]).drop(columns="part")
    table.to_csv("t.csv", index=False)
    data = read("data=table", "data.path=t.csv", "data.target=side")
    rows = data.prepare(table.drop(columns="side"))
    assert {row.tobytes() for row in data.train.inputs} <= {row.tobytes() for row in np.ascontiguousarray(rows)}
    for wrong, message in [
        (table.drop(columns="b"), "the table has no column 'b', which was learned from: give a, b, word"),
        (table.assign(word="z"), "column 'word' holds 'z', which was not learned from: known are x, y"),
        (table.assign(a="z"), "column 'a' holds 'z', which was not learned from: known are numbers"),
    ]:
        with pytest.raises(DataError, match=re.escape(message)):
            data.prepare(wrong)
    assert not Path("outputs").exists()


def test_arrays_may_be_for_several_tasks():
    np.savez("x.npz", x=SEQUENCES, y=CLASS)
    keys = ["data=arrays", "data.path=x.npz"]
    with pytest.raises(UserError, match="data=arrays is for task=activity, cnn or table: say which"):
        compose(keys)
    assert compose([*keys, "model=gru"]).task.name == "activity"
