"""Small studies in MotionSense's layout, written for the tests."""

import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from data_builders import samples
from faults import fault_of

from duograd.data.dataset import DataSet, Split
from duograd.data.load import load
from duograd.data.sources.motionsense import MotionSense

CODES = ("dws", "jog", "sit", "std", "ups", "wlk")
TOP = "A_DeviceMotion_data"
COLUMNS = [
    *("attitude.roll", "attitude.pitch", "attitude.yaw", "gravity.x", "gravity.y", "gravity.z"),
    *("rotationRate.x", "rotationRate.y", "rotationRate.z"),
    *("userAcceleration.x", "userAcceleration.y", "userAcceleration.z"),
]


def recording(person: int, activity: int, rows: int = 20) -> str:
    """gravity.x is the person, gravity.y the activity, userAcceleration.x the row / 100; the rest the column / 1000."""
    table = np.tile(np.arange(12) / 1000, (rows, 1))
    table[:, 3], table[:, 4], table[:, 9] = person, activity, np.arange(rows) / 100
    lines = [",".join(map(str, [index, *row])) for index, row in enumerate(table.tolist())]
    return "\n".join(["," + ",".join(COLUMNS), *lines]) + "\n"


def study(people: int = 5, **changes: str | None) -> dict[str, str]:
    """Files by name, without the folder above: every activity once, of person k 20 + k rows; changes by path."""
    files: dict[str, str | None] = {
        f"{code}_{activity + 1}/sub_{person}.csv": recording(person, activity, 20 + person)
        for activity, code in enumerate(CODES)
        for person in range(1, people + 1)
    }
    return {name: text for name, text in {**files, **changes}.items() if text is not None}


def as_folder(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def as_zip(path: Path, files: Mapping[str, str], top: str = f"{TOP}/") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"{top}{name}", text)
    return path


def read(root: Path, dtype: str = "float64", **keys: Any) -> DataSet:
    keys = {"window": 8, "step": 4, "balance": "none", **keys}
    return load(MotionSense(root=str(root), **keys), dtype)


fault = partial(fault_of, read)


def people_in(split: Split | None) -> set[int]:
    return set(np.rint(samples(split)[0][..., 0].min(axis=1)).astype(int).tolist())
