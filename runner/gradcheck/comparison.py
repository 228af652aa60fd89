"""A wrong gradient beside the true one."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from duograd.runner.gradcheck.judgement import Judgement
from duograd.runner.gradcheck.scope import CLOSE, Scope
from duograd.runner.gradcheck.truth import Target
from duograd.runner.gradcheck.versions import Array, Version


@dataclass(frozen=True)
class Comparison:
    """g: what was computed; t: what it should be, the gradient of `twin`, of the same shape, NaN where it is not known.

    scope: what stands around the value.
    """

    judgement: Judgement
    version: Version
    twin: Target
    g: Array
    t: Array
    scope: Scope

    @cached_property
    def known(self) -> Array:
        """Where the truth is known: not at kinks, and at some entries only of a large gradient."""
        return np.isfinite(self.t)

    @cached_property
    def whole(self) -> bool:
        """Whether the truth is known everywhere."""
        return bool(self.known.all())

    @cached_property
    def scale(self) -> float:
        """The truth's largest entry."""
        return max(1e-300, float(np.abs(self.t[self.known]).max()))

    @cached_property
    def pair(self) -> tuple[Array, Array]:
        """Both, in a row each, where the truth is known."""
        return self.g[self.known].ravel(), self.t[self.known].ravel()

    def fits(self, a: Array, b: Array | None = None) -> bool:
        """Whether a is the truth, or another value, b."""
        other = self.t if b is None else b
        if np.shape(a) != np.shape(other):
            return False
        return bool(np.abs((a - other)[self.known]).max() <= CLOSE * self.scale)
