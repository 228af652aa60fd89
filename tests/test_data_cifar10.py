"""CIFAR-10, read from its files: the report's split, whatever form they have, and never more memory than needed."""

import hashlib
import os
import pickle
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from cifar_builders import (
    BATCHES,
    CLASSES,
    batch,
    files,
    labels,
    pixels,
    python2_pickle,
    small,
    write_archive,
    write_folder,
)

from duograd.data.errors import DataError
from duograd.data.formats import cifar10
from duograd.data.formats.cifar_pickles import unpickle
from duograd.data.load import digest, load
from duograd.data.sources.cifar10 import Cifar10

ROOT = Path(__file__).parents[1]
PUBLISHED_ORDER = (4, "test_batch", 3, "batches.meta", 2, 5, 1)


def subset(root, **given):
    return load(Cifar10(root=str(root), verify=False, **given))


def rows(split):
    return split.inputs.reshape(len(split), -1)


def test_the_last_training_images_validate(tmp_path):
    dataset = subset(write_folder(tmp_path / "cifar-10-batches-py", small()))
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [98, 2, 20]
    everything = np.concatenate([pixels(20, k) for k in range(5)])
    np.testing.assert_array_equal(rows(dataset.train), everything[:98])
    np.testing.assert_array_equal(rows(dataset.validation), everything[98:])
    np.testing.assert_array_equal(rows(dataset.test), pixels(20, 5))
    np.testing.assert_array_equal(dataset.train.targets, (labels(20) * 5)[:98])
    np.testing.assert_array_equal(dataset.test.targets, labels(20))
    assert dataset.classes == CLASSES
    assert dataset.source == "CIFAR-10 (cifar-10-batches-py), 120 images: 98 train, 2 validation, 20 test"
    assert not dataset.synthetic
    assert dataset.image_shape == (32, 32)
    assert dataset.gallery["images"].shape == (10 * 9, 32, 32, 3)  # of class 9, nine images train


def test_images_stay_bytes_in_torch_s_layout(tmp_path):
    dataset = subset(write_folder(tmp_path / "a", small()))
    for split in (dataset.train, dataset.validation, dataset.test):
        assert split.inputs.dtype == np.uint8
        assert split.inputs.shape[1:] == (3, 32, 32)
        assert split.inputs.flags.c_contiguous
        assert split.targets.dtype == np.int64
    assert dataset.train.inputs[0, 2, 1, 3] == pixels(20, 0)[0, 2 * 1024 + 1 * 32 + 3]
    assert dataset.digest == digest(dataset.train.inputs)


@pytest.mark.parametrize("place", ["folder itself", "folder above", "archive", "archive above", "plain tar"])
def test_every_place_gives_the_same(tmp_path, place):
    expected = subset(write_folder(tmp_path / "expected", small()))
    names = [name if isinstance(name, str) else f"data_batch_{name}" for name in PUBLISHED_ORDER]
    shuffled = {name: small()[name] for name in names}
    root = {
        "folder itself": lambda: write_folder(tmp_path / "cifar-10-batches-py", shuffled),
        "folder above": lambda: write_folder(tmp_path / "up" / "cifar-10-batches-py", shuffled).parent,
        "archive": lambda: write_archive(tmp_path / "mine.tar.gz", shuffled),
        "archive above": lambda: write_archive(tmp_path / "up" / "cifar-10-python.tar.gz", shuffled).parent,
        "plain tar": lambda: write_archive(tmp_path / "mine.tar", shuffled, "w"),
    }[place]()
    before = sorted(path for path in tmp_path.rglob("*"))
    dataset = subset(root)
    assert dataset.digest == expected.digest
    np.testing.assert_array_equal(dataset.test.inputs, expected.test.inputs)
    np.testing.assert_array_equal(dataset.train.targets, expected.train.targets)
    assert sorted(path for path in tmp_path.rglob("*")) == before  # nothing was unpacked


def test_batches_of_any_length_are_put_together_in_order(tmp_path):
    counts = dict(zip(BATCHES, (30, 3, 1, 12, 7, 5), strict=True))
    dataset = subset(write_folder(tmp_path / "a", files(counts)), validation_fraction=0.0)
    np.testing.assert_array_equal(
        rows(dataset.train), np.concatenate([pixels(n, k) for k, n in enumerate((30, 3, 1, 12, 7))])
    )
    assert dataset.validation is None


def test_files_written_by_python_2_are_read(tmp_path):
    content = small()
    for k, name in enumerate(BATCHES):
        content[name] = python2_pickle(pixels(20, k), labels(20))
    dataset, expected = (
        subset(write_folder(tmp_path / name, given)) for name, given in (("a", content), ("b", small()))
    )
    assert dataset.digest == expected.digest
    np.testing.assert_array_equal(dataset.train.targets, expected.train.targets)


def test_count_limits_what_trains_and_nothing_else(tmp_path):
    root = write_folder(tmp_path / "a", small())
    whole, few = subset(root), subset(root, count=10)
    np.testing.assert_array_equal(few.train.inputs, whole.train.inputs[:10])
    np.testing.assert_array_equal(few.validation.inputs, whole.validation.inputs)
    np.testing.assert_array_equal(few.test.inputs, whole.test.inputs)
    assert few.train.inputs.base is None  # the rest need not stay in memory
    fewer = subset(root, test_count=7)
    np.testing.assert_array_equal(fewer.test.inputs, whole.test.inputs[:7])
    assert len(fewer.train) == len(whole.train)


def test_the_published_files_pass(tmp_path, monkeypatch):
    content = small()
    sums = {name: hashlib.md5(data).hexdigest() for name, data in content.items()}
    monkeypatch.setattr(cifar10, "MD5", sums)
    assert len(load(Cifar10(root=str(write_folder(tmp_path / "a", content)))).train) == 98


def test_md5_sums_are_those_that_torchvision_knows():
    from duograd.data.formats.torch_cifar10 import _torchvision_cifar10

    known = _torchvision_cifar10()
    listed = dict([*known.train_list, *known.test_list, (known.meta["filename"], known.meta["md5"])])
    assert listed == cifar10.MD5


def test_loading_keeps_the_images_once(tmp_path):
    """As bytes, with room for the batch that is being read: its file, and what the unpickler makes of it."""
    root = write_folder(tmp_path / "a", small(500))
    subset(root)  # what is imported once is not counted
    tracemalloc.start()
    dataset = subset(root)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    whole = 60_000 * 3072  # NumPy reserves this, and touches what it needs
    images = sum(split.inputs.nbytes for split in (dataset.train, dataset.validation, dataset.test))
    assert peak - whole < 6 * images / 6 + 1_500_000  # a batch is a sixth; the gallery's floats are 1.2 MB


def again(change, protocol):
    """The seven files, pickled again after a change to each batch."""
    return {
        name: pickle.dumps(
            change(batch(20, BATCHES.index(name))) if name in BATCHES else pickle.loads(content), protocol
        )
        for name, content in small().items()
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one,
        lambda one: {**one, b"labels": np.array(one[b"labels"])},
        lambda one: {**one, b"labels": np.array(one[b"labels"], ">i2")},
        lambda one: {**one, b"labels": list(np.array(one[b"labels"]))},
        lambda one: {**one, b"data": one[b"data"].reshape(-1, 3, 32, 32)},
        lambda one: {**one, b"data": np.asfortranarray(one[b"data"])},
        lambda one: {key.decode(): value for key, value in one.items()},
    ],
    ids=["plain", "array", "array of shorts", "NumPy's numbers", "images", "Fortran's order", "text keys"],
)
@pytest.mark.parametrize("protocol", range(6))
def test_batches_that_were_pickled_again(tmp_path, change, protocol):
    dataset = subset(write_folder(tmp_path / "a", again(change, protocol)))
    expected = subset(write_folder(tmp_path / "b", small()))
    assert dataset.digest == expected.digest
    np.testing.assert_array_equal(dataset.train.targets, expected.train.targets)


def test_a_zip_archive_is_read_too_and_no_file_twice(tmp_path):
    root = write_folder(tmp_path / "cifar-10-batches-py", small())
    archive = shutil.make_archive(str(tmp_path / "mine"), "zip", tmp_path, "cifar-10-batches-py")
    assert subset(archive).digest == subset(root).digest
    (root / "data_batch_2").unlink()
    (root / "data_batch_2").symlink_to(root / "data_batch_1")
    with pytest.raises(DataError, match="lacks data_batch_2"):
        subset(root)
    (root / "data_batch_2").unlink()
    os.mkfifo(root / "data_batch_2")
    with pytest.raises(DataError, match="lacks data_batch_2"):
        subset(root)


def test_reading_imports_no_torch(tmp_path):
    root = write_folder(tmp_path / "a", small())
    code = (
        "import sys; from duograd.data.sources.cifar10 import Cifar10; from duograd.data.load import load; "
        f"load(Cifar10(root={str(root)!r}, verify=False)); "
        "heavy = {'torch', 'torchvision', 'PIL', 'h5py', 'scipy', 'duograd.models', 'duograd.runner'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_python_s_own_pickle_says_the_same():
    content = small()["data_batch_1"]
    ours, theirs = unpickle(content, "a"), pickle.loads(content, encoding="bytes")
    assert ours.keys() == {key.decode() for key in theirs} == {key.decode() for key in batch(1)}
    np.testing.assert_array_equal(ours["data"], theirs[b"data"])
    assert ours["labels"] == theirs[b"labels"]


def test_real_files(shared_data):
    dataset = subset(shared_data / "cifar-10-python-subset.tar.gz")
    assert dataset.source == (
        "CIFAR-10 (cifar-10-python-subset.tar.gz), 9085 images: 7907 train, 161 validation, 1017 test"
    )
    assert dataset.classes == CLASSES
    np.testing.assert_array_equal(dataset.train.targets[:10], [6, 9, 9, 4, 1, 1, 2, 7, 8, 3])  # as everybody knows them
    inputs = dataset.train.batch().inputs
    np.testing.assert_allclose(inputs.mean(axis=(0, 2, 3)), 0, atol=0.03)  # the constants are of all 50000 images
    deviations = np.array(
        [0.2470, 0.2435, 0.2616]
    )  # of all pixels; the report's constants are the mean of each image's
    np.testing.assert_allclose(inputs.std(axis=(0, 2, 3)), deviations / Cifar10().std, atol=0.02)
