"""What a source of samples is, and how one is declared.

A source is one module of `data/sources` and one YAML of `conf/data`, both called by its name. The module holds

- a subclass of `SourceConfig`: what may stand under `data:`, with defaults, bounds, `name: Literal["NAME"] = "NAME"`;
- its `read(dtype)`, which gives the `DataSet` and imports what it alone needs (h5py, PIL, torchvision) when it is
  called: a configuration is checked, and `duograd --help` shown, without them;
- `SOURCE = Source(config=…, inputs=…, targets=…)`, which says what the samples are before any is read, so that a model
  or a loss that cannot learn from them is refused first.

Nothing else names a source: `runner/registry.py` finds the module. So `data/sources` holds sources alone; readers of
file formats stand in `data/formats`. An installed package adds its own by an entry point of `duograd.sources`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from duograd.data.dataset import Array, DataSet

MAX_SEED = 2**32 - 1  # the largest that NumPy's and torch's generators both take
Augmentation = Callable[[Array, np.random.Generator], Array]
UNSET: Any = None  # the default of what is `required`


def required(remedy: str) -> BeforeValidator:
    """A value that YAML leaves null and the user must give; without it the error is `remedy`."""

    def check(value: object) -> object:
        if value is None or value == "":
            raise ValueError(remedy)
        return value

    return BeforeValidator(check)


def matching(pattern: str, remedy: str) -> AfterValidator:
    """A string of that form; another gives the error `remedy`."""

    def check(value: str | None) -> str | None:
        if value is not None and not re.fullmatch(pattern, value):
            raise ValueError(f"{remedy}, not '{value}'")
        return value

    return AfterValidator(check)


class SourceConfig(BaseModel):
    """What every source has: the seed of all its random choices, and the part of the samples kept for validation."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True, validate_default=True)

    fewer: ClassVar[str] = ""  # the remedy where memory is too small, if that is not a smaller `count`

    name: str
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    validation_fraction: float = Field(default=0.0, ge=0, lt=1)

    @property
    def validates(self) -> bool:
        """Whether some samples are kept for validation."""
        return self.validation_fraction > 0

    @property
    def known_targets(self) -> str | None:
        """`classes` or `values`, where the source has either and this says which; None where only the data does."""
        return None

    def key_for(self, targets: str) -> str | None:
        """What to set for targets of that kind, where the source has some of another; None where nothing would do."""
        return None

    def augmentation(self) -> Augmentation | None:
        """How samples are varied each time they are drawn for training; None leaves them as they are."""
        return None

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """The samples, inputs of `dtype` as a network gets them. Raises DataError for every fault of the data."""
        raise NotImplementedError(f"{type(self).__name__} reads no samples")


@dataclass(frozen=True)
class Source:
    """One choice of `data`.

    inputs: what a sample is: `vectors` (N, I), `sequences` (N, T, S) or `images` (N, C, H, W). A package of one's own
    may name another kind, which its families then take. None: only the samples say.
    targets: `classes`, indices (N,) of named classes; `values` (N, K); `inputs`, where these are their own target; or
    `either` classes or values, as the configuration's `known_targets` says, or the data.
    offline: needs neither network nor files.
    """

    config: type[SourceConfig]
    inputs: str | None
    targets: str
    offline: bool = False

    def targets_of(self, config: SourceConfig) -> str:
        """What the targets are with this configuration; `either` where only the data says."""
        return (config.known_targets or "either") if self.targets == "either" else self.targets
