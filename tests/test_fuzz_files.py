"""Mutated files before every reader: a right result or one line; no crash, no other file, bounded time and memory."""

import json
import tarfile
import time
import zipfile
from dataclasses import replace
from io import BytesIO

import cifar_builders
import h5py
import motionsense_builders
import numpy as np
import pytest
from builders import After, tiny
from fuzzing import FEW, MANY, Confinement, Tally, cases, damaged, damages
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from report_builders import sweep_folder

from duograd.data.errors import DataError
from duograd.runner import build
from duograd.runner.compose import compose
from duograd.runner.context import alone
from duograd.runner.errors import UserError
from duograd.runner.run import run
from duograd.runner.store import lines, tensors
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.records import SearchRecord, SweepRecord
from duograd.runner.validate import validate_plain

PICTURES = {
    "png": "PNG",
    "jpg": "JPEG",
    "gif": "GIF",
    "bmp": "BMP",
    "tif": "TIFF",
    "webp": "WEBP",
    "tga": "TGA",
    "pgm": "PPM",
}
RUN_FILES = ("config.yaml", "run.json", "summary.json", "metrics.jsonl", "steps.jsonl", "checkpoint.safetensors")
CASE = {"reader": st.integers(0, 10**6), "how": damages}


def picture(seed, kind="PNG", side=8):
    content = BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    (image.convert("L") if kind == "PPM" else image).save(content, kind)
    return content.getvalue()


def images():
    return {f"{name}/{k}.png": picture(10 * k + len(name)) for name in ("cat", "rabbit") for k in range(10)}


def archives(folder):
    with zipfile.ZipFile(folder / "i.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in images().items():
            packed.writestr(name, content)
    with tarfile.open(folder / "i.tar.gz", "w:gz") as packed:
        for name, content in images().items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, BytesIO(content))


def tables(folder):
    rows = [f"{k},{k / 7:.3f},{'ab'[k % 2]},{k % 3}" for k in range(40)]
    (folder / "t.csv").write_text("\n".join(["n,x,word,kind", *rows]) + "\n")
    np.savez(folder / "a.npz", x=np.random.default_rng(0).random((40, 3)), y=np.arange(40) % 2)
    np.save(folder / "x.npy", np.random.default_rng(0).random((40, 3)))
    np.save(folder / "y.npy", np.arange(40) % 2)


def hdf5(folder):
    rng = np.random.default_rng(0)
    with h5py.File(folder / "p.h5", "w") as file:
        file.create_dataset("data", data=rng.random((40, 3, 6, 6)), compression="gzip", chunks=(10, 3, 6, 6))
    with h5py.File(folder / "w.h5", "w") as file:
        for part, count in (("tr", 40), ("tst", 20)):
            file[f"{part}X"] = rng.random((count, 12, 3))
            file[f"{part}Y"] = np.eye(4)[np.arange(count) % 4]


DATA = {  # which file is mutated, and what reads it
    "p.h5": ["data=patches_h5", "data.path=p.h5"],
    "w.h5": ["task=activity", "data=activity_h5", "data.path=w.h5", "data.classes=null"],
    "t.csv": ["task=table", "data=table", "data.path=t.csv", "data.target=kind"],
    "a.npz": ["task=table", "data=arrays", "data.path=a.npz"],
    "x.npy": ["task=table", "data=arrays", "data.path=x.npy", "data.targets=y.npy"],
    "i.zip": ["task=cnn", "data=image_folder", "data.root=i.zip", "data.size=8"],
    "i.tar.gz": ["task=cnn", "data=image_folder", "data.root=i.tar.gz", "data.size=8"],
    "cifar/data_batch_1": ["task=cnn", "data=cifar10", "data.root=cifar", "data.verify=false"],
    "m.zip": ["task=activity", "data=motionsense", "data.root=m.zip", "data.window=10", "data.step=10"],
    "m/walking.csv": ["task=activity", "data=motionsense", "data.root=m", "data.window=10", "data.step=10"],
    **{f"{end}/0.{end}": ["data=photos", f"data.root={end}", "data.count=20", "data.size=4"] for end in PICTURES},
}


def data_files(folder):
    """Every kind of file, and by name what reads it."""
    for make in (archives, tables, hdf5):
        make(folder)
    cifar_builders.write_folder(folder / "cifar", cifar_builders.small())
    study = motionsense_builders.study()
    motionsense_builders.as_zip(folder / "m.zip", study)
    motionsense_builders.as_folder(folder / "m", study)
    for end, kind in PICTURES.items():
        (folder / end).mkdir()
        for k in range(2):
            (folder / end / f"{k}.{end}").write_bytes(picture(k, kind))
    recording = next(path for path in sorted((folder / "m").rglob("sub_*.csv")))
    readers = {}
    for name, overrides in DATA.items():
        config = compose([text.replace("=m.zip", f"={folder}/m.zip") for text in overrides])
        paths = {key: str(folder / value) for key in ("path", "root") if (value := getattr(config.data, key, None))}
        config = config.model_copy(update={"data": config.data.model_copy(update=paths)})
        path = recording if name == "m/walking.csv" else folder / name
        readers[name] = path, lambda config=config: build.data_set(config)
    return readers


def run_files(folder):
    """The files of a run and of a sweep, and by name what reads them."""
    path = folder / "run"
    context = replace(alone(), interruption=After(7))
    run(tiny("epochs=3", "batch_size=20"), RunFolder(path), [], context)
    finished = RunFolder(path)

    def read():
        validate_plain(finished.read_config())
        finished.read_identity("name", "digest"), finished.ending(), finished.history(), finished.step_losses()
        lines.epochs(lines.read(finished.metrics))
        tensors.read(finished.checkpoint)

    sweep = sweep_folder(folder / "sweep", {"seed": [0, 1]})
    search = {
        "typed": ["seed=1,2"],
        "fixed": [],
        "digest": "0",
        "options": {},
        "metric": None,
        "trials": [],
        "importances": None,
    }
    (sweep / "search.json").write_text(json.dumps(search))
    readers = {name: (path / name, read) for name in RUN_FILES}
    readers["sweep.json"] = sweep / "sweep.json", lambda: SweepRecord.load(sweep)
    readers["search.json"] = sweep / "search.json", lambda: SearchRecord.load(sweep)
    return readers


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    """By name: the file, its content, what reads it; each reads what was not mutated."""
    folder = tmp_path_factory.mktemp("files")
    found = {**data_files(folder), **run_files(folder)}
    for _, read in found.values():
        read()
    return folder, [(name, path, path.read_bytes(), read) for name, (path, read) in found.items()]


@pytest.fixture(scope="module")
def confinement():
    return Confinement()


def fuzz(readers, confinement, count, record_property):
    folder, known = readers
    tally = Tally()

    @cases(count)
    @given(**CASE)
    def case(reader, how):
        name, path, content, read = known[reader % len(known)]
        path.write_bytes(damaged(content, how))
        started = time.process_time()
        try:
            with confinement.to(folder):
                read()
            said = None
        except (UserError, DataError) as error:
            said = str(error)
        finally:
            path.write_bytes(content)
        assert said is None or len(said.splitlines()) == 1, (name, said)
        assert not confinement.escapes, (name, confinement.escapes)
        tally.add(said is not None, started, name)

    case()
    tally.report(record_property, f"mutated files of {len(known)} kinds", "read")


def test_a_mutated_file_is_read_or_refused_in_a_line(readers, confinement, record_property):
    fuzz(readers, confinement, FEW, record_property)


@pytest.mark.slow
def test_many_mutated_files_are_read_or_refused_in_a_line(readers, confinement, record_property):
    fuzz(readers, confinement, MANY, record_property)
