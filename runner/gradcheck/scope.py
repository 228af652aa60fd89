"""What stands around a value, and factors said with its names: `1/5 = 1/N`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from duograd.runner.gradcheck.judgement import RIGHT, Judgement
from duograd.runner.gradcheck.versions import Version

CLOSE = 1e-5  # relative to the truth's largest entry: differences are good to 1e-8, explanations are exact
NUMBERS = {2.0: "2", 0.5: "1/2", -1.0: "-1", -2.0: "-2", -0.5: "-1/2", 3.0: "3", 4.0: "4", 0.25: "1/4"}


@dataclass
class Scope:
    """What stands around a value: the forward pass's values and right gradients, by name; numbers and sizes."""

    arrays: dict[str, Version]
    numbers: dict[str, float]
    states: list[Version] = field(default_factory=list)

    @classmethod
    def of(cls, judgement: Judgement, version: Version) -> "Scope":
        """As seen from a value of the backward pass."""
        forward = {v.name: v for v in judgement.forward if not v.scalar}
        right = {
            v.name: v
            for v in judgement.backward
            if judgement.status.get(v.order) == RIGHT and v.order < version.order and not v.scalar
        }
        constants = {name: v for name, v in vars(judgement.layer.module).items() if not name.startswith("_")}
        numbers = {name: float(v) for name, v in constants.items() if type(v) in (int, float)}
        numbers |= judgement.numbers
        numbers |= {v.name: float(v.value) for v in judgement.versions if v.value.ndim == 0 and v.order < version.order}
        for v in [*judgement.forward]:
            if not v.scalar and v.line == 0:
                for axis, size in enumerate(v.value.shape):
                    numbers.setdefault(f"{v.name}.shape[{axis}]", float(size))
        for name in ("N", "n", "B", "m"):  # the word that people use comes first
            if name in numbers:
                numbers = {name: numbers[name], **numbers}
        states = [v for v in judgement.backward if v.access == version.access and v.call == version.call]
        return cls(right | forward, numbers, states)


def named(c: float, scope: Scope) -> str:
    """A factor as a person would say it: `1/5 = 1/N`, `2`, `0.001 = reg`."""
    text = _fraction(c)
    if math.isclose(c, 1, rel_tol=1e-5):
        return "1"
    for number, words in formulas(scope):
        if math.isclose(number, c, rel_tol=1e-5):
            return text if words == text else f"{text} = {words}"
    return text


def formulas(scope: Scope) -> Iterator[tuple[float, str]]:
    yield from NUMBERS.items()
    known = {name: v for name, v in scope.numbers.items() if math.isfinite(v) and v not in (0.0, 1.0, -1.0)}
    for name, v in known.items():
        yield from ((v, name), (1 / v, f"1/{name}"), (-v, f"-{name}"), (-1 / v, f"-1/{name}"))
        yield from ((2 * v, f"2 {name}"), (v / 2, f"{name}/2"), (2 / v, f"2/{name}"), (v * v, f"{name}²"))
        yield from ((1 / (v * v), f"1/{name}²"), (1 / (2 * v), f"1/(2 {name})"))
        yield from ((v - 1, f"{name} - 1"), (1 - v, f"1 - {name}"), (1 + v, f"1 + {name}"))
        if v > 0:
            yield from ((math.sqrt(v), f"√{name}"), (1 / math.sqrt(v), f"1/√{name}"))
        if v not in (1.0, 0.0):
            yield from ((v / (v - 1), f"{name}/({name} - 1)"), ((v - 1) / v, f"({name} - 1)/{name}"))
            yield from ((1 / (1 - v), f"1/(1 - {name})"),)
    for (one, v), (two, w) in combinations(list(known.items())[:12], 2):
        if v == w:
            continue
        yield from (
            (v / w, f"{one}/{two}"),
            (w / v, f"{two}/{one}"),
            (v * w, f"{one} {two}"),
            (1 / (v * w), f"1/({one} {two})"),
        )


def _fraction(c: float) -> str:
    fraction = Fraction(c).limit_denominator(1000)
    if fraction and math.isclose(float(fraction), c, rel_tol=1e-6):
        return str(fraction)
    return f"{c:.4g}"


class Cause(NamedTuple):
    """kind: one word for programs. text: for people, after `source line — `."""

    kind: str
    text: str


def is_plain(c: float, scope: Scope) -> bool:
    """Whether a factor has a name: of numbers and sizes in scope."""
    return any(math.isclose(number, c, rel_tol=1e-5) for number, _ in formulas(scope))


def is_said(c: float, scope: Scope) -> bool:
    """Whether a factor is one that people write: of small numbers, or of sizes and numbers in scope."""
    fraction = Fraction(c).limit_denominator(12)
    return math.isclose(float(fraction), c, rel_tol=1e-5, abs_tol=1e-6) or is_plain(c, scope)
