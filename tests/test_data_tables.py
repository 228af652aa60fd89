"""Arrays and tables that users bring: what is read of them, how they are split, and each fault in one line."""

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from duograd.data.errors import DataError
from duograd.data.formats import arrays
from duograd.runner import build
from duograd.runner.compose import compose
from duograd.runner.errors import UserError
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

N = 60
X = np.random.default_rng(0).standard_normal((N, 3))
WORDS = np.array(["left", "middle", "right"])[np.arange(N) % 3]
PEOPLE = np.arange(N) // 5
Y = X @ np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(*keys: str):
    return build.data_set(compose(["task=table", "tracking=none", "dtype=float64", *keys]))


def table(ending: str = "csv", **columns) -> list[str]:
    """A file of a table, and the keys that choose it."""
    import pandas as pd

    frame = pd.DataFrame({"a": X[:, 0], "b": np.arange(N), "side": WORDS, "who": PEOPLE, **columns})
    if ending == "parquet":
        frame.to_parquet("t.parquet")
    else:
        frame.to_csv(f"t.{ending}", index=False, sep="," if ending == "csv" else "\t")
    return ["data=table", f"data.path=t.{ending}"]


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_a_table_is_read(ending):
    data = read(*table(ending, up=np.arange(N) % 2 == 0), "data.target=up")
    assert data.classes == ("False", "True")
    assert data.columns == ("a", "b", "side", "side", "side", "who")
    assert set(np.unique(data.train.inputs[:, 2:5])) == {0.0, 1.0}  # words are not standardised
    np.testing.assert_allclose(data.train.inputs[:, 0].mean(), 0, atol=1e-12)
    assert "pandas" not in data.source


def test_nobody_is_in_two_splits():
    data = read(*table(), "data.target=side", "data.groups=who", "data.drop=[b]", "data.standardise=false")
    where = {round(float(value), 9): person for value, person in zip(X[:, 0], PEOPLE, strict=True)}
    people = [{where[round(float(v), 9)] for v in split.inputs[:, 0]} for split in data.splits.values()]
    assert sum(map(len, people)) == len(set.union(*people)) == len(set(PEOPLE))
    assert data.columns == ("a",)


FAULTS = {
    "data.target=sid": "data.target=sid is no column: did you mean 'side'? there are a, b, side, who",
    "data.drop=[x]": "data.drop=[x] is no column",
    "data.groups=x": "data.groups=x is no column",
    "data.drop=[]": "row 4, column 'hole' is missing (NaN), one of 2: fill it",
    "data.drop=[hole]": "column 'day' holds dates such as 2026-11-26: leave it out, data.drop=[hole,day]",
    "data.drop=[hole,day]": "column 'name' holds 60 different words: leave it out, data.drop=[hole,day,name]",
    "data.drop=[hole,day,name]": "target rare has one sample only of class once: give two at least",
    "data.drop=[hole,day,name,a,b,side,who]": "has no column to learn from beside",
}


@pytest.mark.parametrize("key", FAULTS)
def test_a_fault_of_a_table_is_one_line(key):
    hole, rare = np.where(np.isin(np.arange(N), [3, 9]), np.nan, 1.0), np.where(np.arange(N) == 7, "once", "often")
    columns = {"hole": hole, "day": "2026-11-26", "name": [f"n{i}" for i in range(N)], "rare": rare}
    expected = FAULTS[key].replace("data.drop=[x]", "data.drop=x")
    with pytest.raises(DataError, match=re.escape(expected)) as caught:
        read(*table(**columns), "data.target=rare", key)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("word", ["{},000", "$ {}", "{} %", "1'{}00"])
def test_numbers_that_are_written_as_words_are_no_words(word):
    words = [word.format(100 + i % 7) for i in range(N)]
    with pytest.raises(DataError, match=re.escape(f"'price' holds numbers written as words such as '{words[0]}'")):
        read(*table(price=words), "data.target=side")


@pytest.mark.parametrize(
    ("encoding", "separator", "decimal", "end"),
    [
        ("utf-8-sig", ";", ",", "\r\n"),
        ("utf-16", "\t", ".", "\n"),
        ("utf-16-be", ",", ".", "\n"),
        ("utf-8", "|", ",", "\r"),
    ],
)
def test_a_table_is_read_whichever_program_wrote_it(encoding, separator, decimal, end):
    import pandas as pd

    frame = pd.DataFrame({"größe": X[:, 0], "b": np.arange(N), "side": WORDS})
    text = frame.to_csv(index=False, sep=separator, decimal=decimal, lineterminator=end)
    Path("t.csv").write_bytes(text.encode(encoding))
    data = read("data=table", "data.path=t.csv", "data.target=side", "data.standardise=false")
    assert data.columns == ("größe", "b")
    seen = np.concatenate([split.inputs[:, 0] for split in data.splits.values()])
    np.testing.assert_allclose(np.sort(seen), np.sort(X[:, 0]))


def test_values_that_have_no_scale_are_refused():
    """Else they would all be 0, in silence."""
    with pytest.raises(
        DataError, match=r"a value is as large as 1\.0e\+300, too large to be put on one scale: repair it"
    ):
        read(*table(huge=np.where(np.arange(N) % 2, 1e300, 1)), "data.target=side")


def test_a_question_mark_is_a_missing_value():
    with pytest.raises(DataError, match=r"row 6, column 'age' is missing \(NaN\): fill it"):
        read(*table(age=["?" if i == 5 else i for i in range(N)]), "data.target=side")


def test_an_archive_that_unpacks_to_much_more_is_refused(monkeypatch):
    monkeypatch.setattr(arrays, "UNPACKED", 1000)
    np.savez_compressed("x.npz", x=np.zeros((1000, 100)), y=np.zeros(1000))
    with pytest.raises(DataError, match=r"x\.npz unpacks to 808256 bytes: save it by numpy\.savez, uncompressed"):
        read("data=arrays", "data.path=x.npz")


def test_an_array_that_was_never_written_is_refused():
    with h5py.File("x.h5", "w") as file:
        file["y"] = np.arange(N)
        file.create_dataset("x", (N, 3), "f4")
    with pytest.raises(DataError, match="'x' was never written"):
        read("data=arrays", "data.path=x.h5")


@pytest.mark.parametrize(("name", "source"), [("x.csv", "table"), ("x.parquet", "table"), ("x.npz", "arrays")])
def test_damaged_files_are_told(name, source, tmp_path):
    (tmp_path / name).write_bytes(b"a,b\n1,2,3,4\n")
    keys = ["data.target=b"] if source == "table" else []
    with pytest.raises(DataError, match=f"{name} cannot be read") as caught:
        read(f"data={source}", f"data.path={name}", *keys)
    assert "\n" not in str(caught.value)


def test_arrays_of_every_kind_are_the_same():
    np.savez("x.npz", x=X, y=WORDS, who=PEOPLE)
    np.save("x.npy", X)
    np.save("y.npy", WORDS)
    with h5py.File("x.h5", "w") as file:
        file["x"], file["y"] = X, WORDS.astype(object)
    files = [["x.npz"], ["x.npy", "data.targets=y.npy"], ["x.h5"]]
    sets = [read("data=arrays", f"data.path={path}", *more) for path, *more in files]
    assert len({data.digest for data in sets}) == 1
    assert {data.classes for data in sets} == {("left", "middle", "right")}
    apart = read("data=arrays", "data.path=x.npz", "data.groups=who")
    assert [len(split) for split in apart.splits.values()] == [40, 10, 10]


@pytest.mark.parametrize(
    ("arrays", "keys", "message"),
    [
        ({"x": X, "y": WORDS[:-1]}, (), "has 60 inputs but 59 data.targets: give each sample one"),
        (
            {"x": X, "labels": WORDS},
            ("data.targets=label",),
            "data.targets=label is not in x.npz: did you mean 'labels'?",
        ),
        ({"x": X, "y": WORDS.astype(object)}, (), "'y' holds Python objects, which are never unpickled: save numbers"),
        ({"x": X[:, 0], "y": WORDS}, (), "are float64 of shape (60,): give numbers, as rows (N, inputs), sequences"),
        ({"x": np.where(X[7, 1] == X, np.nan, X), "y": WORDS}, (), "row 8, column 2 of the inputs is NaN: fill it"),
        ({"x": X, "y": WORDS}, ("data.path=gone.npz",), "gone.npz does not exist: give .npz, .npy or .h5"),
        ({"x": X, "y": WORDS}, ("data.path=x.txt",), "x.txt does not exist"),
    ],
)
def test_a_fault_of_arrays_is_one_line(arrays, keys, message):
    np.savez("x.npz", **arrays)
    with pytest.raises(DataError, match=re.escape(message)):
        read("data=arrays", "data.path=x.npz", *keys)


def test_the_kind_of_target_is_said_and_can_be_set():
    np.savez("x.npz", x=X, y=np.arange(N) % 4)
    data = read("data=arrays", "data.path=x.npz")
    assert (
        data.source == "x.npz: 60 samples of 3 columns, 4 classes (recognised; data.target_kind=values if they are not)"
    )
    values = read("data=arrays", "data.path=x.npz", "data.target_kind=values", "loss=huber")
    assert values.values == ("y",)
    config = compose(["task=table", "data=arrays", "data.path=x.npz", "loss=huber"])
    data = build.data_set(config)
    with pytest.raises(
        UserError,
        match=r"loss=huber is for values, but .* are classes: use loss=.*, or set data\.target_kind=values$",
    ):
        build.engine(config, data)


def test_values_of_ones_own_are_learned(tmp_path):
    np.save("x.npy", X)
    np.save("sums.npy", Y)
    folder = RunFolder(tmp_path / "run")
    keys = ["data=arrays", "data.path=x.npy", "data.targets=sums.npy", "loss=squared_error", "epochs=60"]
    assert run(compose(["task=table", "tracking=none", "optimizer.lr=0.01", *keys]), folder, []) == 0
    summary = json.loads(folder.summary.read_text())
    assert summary["metrics"]["test/r2"] > 0.8
    assert set(summary["mae"]["test"]) == {"sums_1", "sums_2"}
    assert {"predicted_against_true_1", "predicted_against_true_2"} <= {path.stem for path in folder.figures.iterdir()}
