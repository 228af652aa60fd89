"""What stands in a run's files: damaged content is one line, before anybody takes it for what it should be."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, FiniteFloat, TypeAdapter, ValidationError

from duograd.runner.store.files import DamagedError, read_json

T = TypeVar("T")
Status = Literal["PENDING", "RUNNING", "FINISHED", "FAILED", "KILLED", "PRUNED"]
MOST = 80  # characters of a reason


class Content(BaseModel):
    """Keys that are given have these types; others may stand beside them."""

    model_config = ConfigDict(strict=True, extra="allow")


class RunJson(Content):
    """Who a run is."""

    id: str = ""
    name: str = ""
    task: str = ""
    model: str = ""
    backend: str = ""
    data: str = ""
    source: str = ""
    synthetic: bool = False
    digest: str = ""
    seed: int = 0
    shapes: dict[str, list[int]] = {}
    parameters: int = 0
    started: float = 0.0
    command: str = ""
    overrides: list[str] = []
    swept: dict[str, str] = {}
    versions: dict[str, str] = {}
    threads: int | None = None


class BestJson(Content):
    metric: str
    value: float | None = None
    epoch: int | None = None


class SummaryJson(Content):
    """How a run ended."""

    status: Literal["FINISHED", "FAILED", "KILLED"]
    error: str | None = None
    stopped_by: str | None = None
    epochs: int = 0
    steps: int = 0
    seconds: FiniteFloat | None = None
    train_seconds: float = 0.0
    parameters: int = 0
    metrics: dict[str, float | None] = {}
    best: BestJson | None = None
    confusion: dict[str, list[list[int]]] | None = None
    f1: dict[str, dict[str, float | None]] | None = None
    diverged: bool = False
    drawing: bool = False


class Option(Content):
    name: str | None = None


class ConfigYaml(Content):
    """What a reader takes from a configuration without checking it whole: another duograd may have written it."""

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


def check(path: Path, content: Any, kind: type[Content], needed: Iterable[str] = ()) -> None:
    """Raises DamagedError where the content of a file is no `kind`, or lacks keys that are needed now."""
    try:
        kind.model_validate(content)
    except ValidationError as error:
        raise DamagedError(f"{path} is damaged ({_reason(error)})") from None
    if missing := [key for key in needed if key not in content]:
        raise DamagedError(f"{path} is damaged (it lacks {', '.join(missing)})")


def read(path: Path, kind: type[T]) -> T:
    """The `kind` (a dataclass) that a file of JSON holds. Raises DamagedError."""
    return build(path, read_json(path), kind)


def build(path: Path, content: Any, kind: type[T]) -> T:
    """The `kind` (a dataclass) that a part of the file says. Raises DamagedError."""
    try:
        record: T = _adapter(cast(Any, kind)).validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        raise DamagedError(f"{path} is damaged ({_reason(error)})") from None
    return record


def _reason(error: ValidationError) -> str:
    """The first fault, in one line: `jobs.0.number: Field required`."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}"[:MOST].removeprefix(": ")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
