"""What a report relies on in the files of a run: one that says something else is damaged, and its run listed so."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from duograd.runner.store.files import DamagedError


class Shape(BaseModel):
    """A part of a file; what else stands there is nobody's business here."""

    model_config = ConfigDict(extra="allow", strict=True)


class Best(Shape):
    metric: str | None = None
    value: float | None = None
    epoch: int | None = None


class Summary(Shape):
    """summary.json."""

    status: str = ""
    error: str | None = None
    stopped_by: str | None = None
    metrics: dict[str, float | None] | None = None
    best: Best | None = None
    epochs: int | None = None
    seconds: FiniteFloat | None = None
    diverged: bool = False
    confusion: dict[str, list[list[int]]] | None = None
    f1: dict[str, dict[str, float | None]] | None = None


class Identity(Shape):
    """run.json."""

    name: str | None = None
    task: str | None = None
    data: str = ""
    source: str = ""
    digest: str | None = None
    seed: int = 0
    command: str = ""


class Option(Shape):
    name: str | None = None


class Config(Shape):
    """config.yaml."""

    task: Option | None = None
    data: Option | None = None
    model: Option | None = None
    loss: Option | None = None
    optimizer: Option | None = None
    backend: Option | None = None
    tracking: Option | None = None
    monitor: str | None = None
    dtype: str = ""
    epochs: int = 1
    batch_size: int | None = None


def check(shape: type[Shape], content: Mapping[str, Any], name: str) -> None:
    """Raises DamagedError, naming the file and the key, where the content is not of the shape."""
    try:
        shape.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise DamagedError(f"{name} is damaged ({'.'.join(map(str, first['loc']))}: {first['msg'].lower()})") from None
