"""What a pass computed, and what is said of each of its values."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from duograd.runner.gradcheck.layer import Layer
from duograd.runner.gradcheck.truth import Truth
from duograd.runner.gradcheck.versions import Array, Version, ingredients

GIVEN, RIGHT, WRONG, FOLLOWS, UNKNOWN = "given", "right", "wrong", "follows", "not checked"


@dataclass
class Output:
    """A gradient that the layer returned for an input. error: relative, the largest along random directions."""

    name: str
    value: Array
    error: float
    ok: bool


@dataclass
class Judgement:
    """What a pass computed, and what is said of each of its values.

    status: by the order of a version. twin: the forward value whose gradient a version is, or should be.
    """

    layer: Layer
    truth: Truth
    outputs: list[Output]
    versions: list[Version]
    status: dict[int, str] = field(default_factory=dict)
    twin: dict[int, Version | str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    y: tuple[Array, ...] = ()
    originals: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return all(output.ok for output in self.outputs)

    @property
    def forward(self) -> list[Version]:
        return [v for v in self.versions if v.phase == "forward"]

    @cached_property
    def backward(self) -> list[Version]:
        """In the order in which they were finished: what a loop fills comes after all that went into it."""
        return sorted((v for v in self.versions if v.phase == "backward"), key=lambda v: v.step)

    def first_wrong(self) -> Iterator[Version]:
        """Wrong values, in the order of their making, that no other wrong one is an ingredient of."""
        for version in self.backward:
            if self.status.get(version.order) == WRONG:
                yield version

    def unproven(self, version: Version) -> list[Version]:
        """The nameless values that a value is made of, back to those that are right; in the order of their making."""

        def is_nameless(read: Version) -> bool:
            return read.phase == "backward" and self.status.get(read.order) == UNKNOWN

        return sorted(ingredients(version.reads, is_nameless), key=lambda v: v.step)
