"""What every source has, and how its model says what is wrong with a value."""

import re
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from duograd.data.dataset import Array

MAX_SEED = 2**32 - 1  # the largest that NumPy's and torch's generators both take
Augmentation = Callable[[Array, np.random.Generator], Array]


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


class Source(BaseModel):
    """What every source has: the seed of all its random choices, and the part of the samples kept for validation."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    fewer: ClassVar[str] = "ask for fewer samples, data.count=N"  # the remedy where memory is too small

    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    validation_fraction: float = Field(default=0.0, ge=0, lt=1)

    def augmentation(self) -> Augmentation | None:
        """How samples are varied each time they are drawn for training; None leaves them as they are."""
        return None
