"""What CIFAR-10 says when its files are missing, damaged, malicious or not to be had."""

import hashlib
import io
import os
import pickle
import urllib.error
import urllib.request
import zipfile

import numpy as np
import pytest
from cifar_builders import batch, labels, pixels, small, write_archive, write_folder
from faults import fault_of

from duograd.data.errors import DataError
from duograd.data.formats import cifar10, torch_cifar10
from duograd.data.formats.cifar_pickles import unpickle
from duograd.data.load import load
from duograd.data.sources.cifar10 import Cifar10


def fault(root, **given):
    return fault_of(load, Cifar10(**{"root": str(root), "verify": False, **given}))


LABELS = "holds 20 images, but `labels` is not as many whole numbers from 0 to 9: download or copy it again"


class Evil:
    """Calls a function while it is read."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("function", "name"),
    [(os.system, "system"), (eval, "eval"), (__import__, "__import__"), (getattr, "getattr"), (open, "open")],
)
def test_a_pickle_that_would_run_something_is_refused(tmp_path, function, name, protocol):
    mark = tmp_path / "mark"
    content = pickle.dumps({b"data": Evil(function, f"touch {mark}")}, protocol=protocol)
    with pytest.raises(
        DataError, match=rf"a batch cannot be read as a batch of CIFAR-10 \(it asks for .*\.{name}, which"
    ):
        unpickle(content, "a batch")
    assert not mark.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"c_codecs\ndecode\n(S'true'\ntR.",
        b"cnumpy\nload\n(S'file'\ntR.",
        b"cbuiltins\nobject\n.",
        b"\x80\x02c_codecs\nencode\n}X\x01\x00\x00\x00aK\x01sb.",  # sets an attribute of what encodes
        b"\x80\x02c_codecs\nencode\nN}X\x08\x00\x00\x00__call__K\x01s\x86b.",  # the same as a slot
        b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13tR.",
        b"P1\n.",
        b"\x80\x02K\x01.",
        b"\x80\x02}K\x01K\x02s.",
        b"\x80\x02]\x94h\x05.",
        b"\x80\x02}r\x00\x00\x00\x10.",
        b"\x80\x02}q\x05.",
        b"",
        b"no pickle",
    ],
)
def test_every_other_program_is_refused(content):
    with pytest.raises(DataError, match="cannot be read as a batch of CIFAR-10"):
        unpickle(content, "a batch")


@pytest.mark.parametrize("array", [np.zeros(3), np.array([{}]), np.zeros(2, "u2,u1"), np.zeros(4, "U3")])
def test_arrays_of_anything_but_whole_numbers_are_refused(array):
    with pytest.raises(DataError, match=r"an array of .*, not of whole numbers"):
        unpickle(pickle.dumps({b"data": array}, protocol=2), "a batch")


def test_fortran_order_is_understood():
    array = np.asfortranarray(pixels(3))
    np.testing.assert_array_equal(unpickle(pickle.dumps({b"data": array}, protocol=2), "a")["data"], array)


def test_a_batch_cut_short_is_named(tmp_path):
    content = small()
    content["data_batch_3"] = content["data_batch_3"][:-2000]
    root = write_folder(tmp_path / "a", content)
    assert f"{root}: data_batch_3 cannot be read as a batch of CIFAR-10 (" in fault(root)


def test_a_missing_batch_is_named(tmp_path):
    content = small()
    del content["data_batch_3"]
    expected = "a lacks data_batch_3: give all of data_batch_1, data_batch_2, data_batch_3, data_batch_4, data_batch_5"
    assert expected in fault(write_folder(tmp_path / "a", content))
    del content["batches.meta"]
    del content["data_batch_1"]
    assert "a.tar.gz lacks data_batch_1: give all" in fault(write_archive(tmp_path / "a.tar.gz", content))


def test_another_md5_sum_is_told(tmp_path):
    root = write_folder(tmp_path / "a", small())
    line = fault(root, verify=True)
    assert line.startswith(f"{root}: data_batch_1 has md5 ")
    assert line.endswith(
        ", but CIFAR-10 was published with c99cafc152244af753f735de768cd75f: download or copy it again, "
        "or set data.verify=false if it is meant to be another, such as a shorter subset"
    )


@pytest.mark.parametrize("damage", ["cut", "flipped", "no archive", "empty", "zip"])
def test_a_damaged_archive_is_one_line(tmp_path, damage):
    path = write_archive(tmp_path / "a.tar.gz", small())
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        middle = len(content) // 2
        content[middle : middle + 50] = bytes(50)
        path.write_bytes(content)
    elif damage == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a", "b")
    else:
        path.write_bytes(b"" if damage == "empty" else b"this is no archive" * 100)
    line = fault(path)
    assert line.startswith(str(path))
    assert line.endswith("download or copy it again") or " lacks " in line


def test_places_that_hold_nothing(tmp_path):
    assert fault(tmp_path / "gone") == (
        f"data.root={tmp_path / 'gone'} does not exist: give cifar-10-batches-py, a folder, or cifar-10-python.tar.gz"
    )
    assert fault(tmp_path) == (
        f"data.root={tmp_path} holds neither cifar-10-batches-py nor cifar-10-python.tar.gz: "
        "give a folder that does, or the archive"
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({b"data": pixels(20)[:, :-1]}, "has no array `data` of 3072 bytes an image"),
        ({b"data": None}, "has no array `data`"),
        ({b"data": pixels(20).astype(np.int8)}, "has no array `data`"),
        ({b"fine_labels": labels(20)}, "is a batch of CIFAR-100, with fine_labels: give one of CIFAR-10"),
        ({b"data": np.zeros((10_001, 3072), np.uint8)}, "holds 10001 images: a batch of CIFAR-10 has 10000 at most"),
        ({b"labels": labels(19)}, LABELS),
        ({b"labels": [*labels(19), 10]}, LABELS),
        ({b"labels": [*labels(19), -1]}, LABELS),
        ({b"labels": [*labels(19), 0.5]}, LABELS),
        ({b"labels": [True] * 20}, LABELS),
        ({b"labels": [*labels(19), [1]]}, LABELS),
        ({b"labels": None}, LABELS),
    ],
)
def test_a_batch_of_another_form(tmp_path, change, line):
    content = small() | {"data_batch_2": pickle.dumps(batch(20) | change, protocol=2)}
    root = write_folder(tmp_path / "a", content)
    assert fault(root).startswith(f"{root}: data_batch_2 {line}")


@pytest.mark.parametrize("names", [None, [b"cat"], [b"cat"] * 9 + [3]])
def test_class_names_of_another_form(tmp_path, names):
    content = small() | {"batches.meta": pickle.dumps({b"label_names": names}, protocol=2)}
    assert "batches.meta has no list `label_names` of 10 classes" in fault(write_folder(tmp_path / "a", content))


def test_more_than_there_are(tmp_path):
    root = write_folder(tmp_path / "a", small())
    assert fault(root, count=99) == (
        "data.count=99 is more than the 98 train images that there are: set it to 98 or less, or null for all"
    )
    assert "data.test_count=21 is more than the 20 test images that there are" in fault(root, test_count=21)
    assert "data.validation_fraction=0.001 of 100 samples leaves none for validation" in fault(
        root, validation_fraction=0.001
    )


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DUOGRAD_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cifar10"


def test_what_is_in_the_cache_is_not_downloaded(cache, monkeypatch):
    monkeypatch.setattr(torch_cifar10, "download", lambda *_: pytest.fail("asked the network"))
    write_archive(cache / "cifar-10-python.tar.gz", small())
    assert "cifar-10-python.tar.gz" in load(Cifar10(verify=False)).source
    write_folder(cache / "cifar-10-batches-py", small())
    assert "cifar-10-batches-py" in load(Cifar10(verify=False)).source


class Reply(io.BytesIO):
    """What urlopen returns for one file."""

    def __init__(self, url, content):
        super().__init__(content)
        self.url, self.length = url, len(content)


@pytest.fixture
def internet(monkeypatch):
    """torchvision's class, and what the internet holds: contents by address."""
    contents = {}

    def urlopen(request, *_, **__):
        if request.full_url not in contents:
            raise urllib.error.URLError(OSError(-2, "Name or service not known"))
        return Reply(request.full_url, contents[request.full_url])

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return torch_cifar10._torchvision_cifar10(), contents


def publish(known, contents, monkeypatch, tmp_path):
    """A small archive that torchvision and we take for the published one."""
    content = small()
    for name in ("test_batch", "batches.meta"):  # torchvision reads these two itself, and wants its keys as text
        entries = pickle.loads(content[name], encoding="bytes")
        content[name] = pickle.dumps({key.decode(): value for key, value in entries.items()}, protocol=2)
    archive = write_archive(tmp_path / "published.tar.gz", content).read_bytes()
    sums = {name: md5(data) for name, data in content.items()}
    monkeypatch.setattr(known, "tgz_md5", md5(archive))
    monkeypatch.setattr(known, "train_list", [[name, sums[name]] for name in sums if "data" in name])
    monkeypatch.setattr(known, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(known, "meta", {**known.meta, "md5": sums["batches.meta"]})
    monkeypatch.setattr(cifar10, "MD5", sums)
    contents[known.url] = archive


def md5(content):
    return hashlib.md5(content).hexdigest()


def test_torchvision_downloads_it_once(cache, internet, monkeypatch, tmp_path, capfd):
    publish(*internet, monkeypatch, tmp_path)
    first = load(Cifar10())
    assert "100%" in capfd.readouterr().err  # its progress
    internet[1].clear()
    assert load(Cifar10()).digest == first.digest
    assert [path.name for path in cache.iterdir()] == ["cifar-10-batches-py"]


def test_an_archive_of_another_md5_sum_leaves_nothing(cache, internet, monkeypatch, tmp_path):
    publish(*internet, monkeypatch, tmp_path)
    known, contents = internet
    contents[known.url] = contents[known.url][:-100]
    assert fault_of(load, Cifar10()) == (
        f"data=cifar10 could not be downloaded from {known.url} (File not found or corrupted.): "
        "give data.root=DIR, a folder or archive that you have, or use data=shapes, which is drawn"
    )
    assert list(cache.iterdir()) == []


def test_no_network_names_the_offline_source(cache, internet):
    assert fault_of(load, Cifar10()) == (
        f"data=cifar10 could not be downloaded from {internet[0].url} ([Errno -2] Name or service not known): "
        "give data.root=DIR, a folder or archive that you have, or use data=shapes, which is drawn"
    )
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_one_line(cache, internet):
    cache.parent.write_text("a file where a folder belongs")
    assert "could not be downloaded" in fault_of(load, Cifar10())


def test_another_process_that_was_faster_is_no_fault(cache, internet, monkeypatch, tmp_path):
    publish(*internet, monkeypatch, tmp_path)
    known, _ = internet
    original = known.download

    def slow(self):
        original(self)
        write_folder(cache / "cifar-10-batches-py", small())

    monkeypatch.setattr(known, "download", slow)
    assert len(load(Cifar10(verify=False)).train) == 98
    assert [path.name for path in cache.iterdir()] == ["cifar-10-batches-py"]
