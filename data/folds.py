"""k-fold cross-validation: what is not for the test in so many parts, of which one validates and the others train."""

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from duograd.data.errors import DataError
from duograd.data.source import SourceConfig


class Fold(NamedTuple):
    """The part that validates, from 0, of how many."""

    part: int
    of: int


class FoldedConfig(SourceConfig):
    """A source whose samples can be dealt to folds, class by class, or person by person where it knows whose they are.

    fold, folds: the fold that validates, of how many; they replace validation_fraction.
    """

    fold: int | None = Field(default=None, ge=0)
    folds: int | None = Field(default=None, ge=2, le=1000)

    @model_validator(mode="after")
    def _a_fold_is_one_of_some(self) -> Self:
        if (self.fold is None) != (self.folds is None):
            typed, missing = ("fold", "folds=5") if self.folds is None else ("folds", "fold=0,1,2")
            raise ValueError(f"data.{typed}={getattr(self, typed)} goes with data.{missing}")
        if self.fold is not None and self.folds is not None and self.fold >= self.folds:
            raise ValueError(f"data.fold={self.fold}: with data.folds={self.folds} there are 0 to {self.folds - 1}")
        return self

    @property
    def validates(self) -> bool:
        return self.folds is not None or super().validates

    @property
    def held_out(self) -> float | Fold:
        """What validates."""
        return self.validation_fraction if self.fold is None or self.folds is None else Fold(self.fold, self.folds)


def share(part: float | Fold) -> float:
    """The part of the samples that is held out."""
    return 1 / part.of if isinstance(part, Fold) else part


def deal(order: NDArray[Any], fold: Fold, of_what: str = "samples") -> tuple[NDArray[Any], NDArray[Any]]:
    """What trains and what validates, of things (n,) in random order, which must not depend on the fold.

    Raises DataError where there are fewer things than folds.
    """
    if len(order) < fold.of:
        raise DataError(f"data.folds={fold.of} is more than the {len(order)} {of_what} there are: ask for fewer")
    mine = np.arange(len(order)) % fold.of == fold.part
    return order[~mine], order[mine]
