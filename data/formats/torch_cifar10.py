"""CIFAR-10 from the internet, by torchvision, which shows progress and checks the published md5 sum."""

import http.client
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import torch

from duograd.data.errors import DataError
from duograd.data.formats.cifar10 import FOLDER
from duograd.data.formats.download import Download

FAULTS = (OSError, RuntimeError, EOFError, ValueError, tarfile.TarError, http.client.HTTPException)
SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []  # a schema is gone with its library


def download(folder: Path, remedy: str) -> Path:
    """The batches, in `folder`/cifar-10-batches-py: all of them, or the folder is not there at all.

    remedy: what an error ends with.
    Raises DataError where the network or the disk fails, or what came is not the published archive.
    """
    CIFAR10 = _torchvision_cifar10()
    whole = Download(CIFAR10.url, "data=cifar10", remedy)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as part:
            CIFAR10(part, train=False, download=True)  # downloads everything; train=True would also load it all
            _put(Path(part) / FOLDER, folder / FOLDER)
    except FAULTS as error:
        raise whole.fault(getattr(error, "reason", error)) from error
    return folder / FOLDER


def _put(part: Path, place: Path) -> None:
    try:
        part.rename(place)
    except OSError:
        if not place.is_dir():  # else another process was faster, with the same files
            raise


def _torchvision_cifar10() -> Any:
    """torchvision's class, on any torch.

    torchvision's wheels are built for CUDA. On a torch without CUDA their operators do not load, and the import fails
    where it describes two of them: "operator torchvision::nms does not exist". Declared without an implementation,
    they let it pass; whoever called them would be told that they have none. They are declared only after that
    failure, since an operator may not be declared twice. Tried with torch 2.13.0 and torchvision 0.28.0.
    """
    try:
        from torchvision.datasets import CIFAR10  # type: ignore[import-untyped]
    except RuntimeError as error:
        if _declared or "torchvision::nms" not in str(error):
            raise
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for schema in SCHEMAS:
            library.define(schema)  # type: ignore[no-untyped-call]
        _declared.append(library)
        from torchvision.datasets import CIFAR10
    except ImportError as error:
        raise DataError(
            "data=cifar10 is downloaded by torchvision, which is missing: pip install torchvision"
        ) from error
    return CIFAR10
