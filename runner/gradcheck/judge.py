"""Which value of a backward pass is the first that is wrong, while all that it is made of is right."""

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from duograd.runner.gradcheck.judgement import FOLLOWS, GIVEN, RIGHT, UNKNOWN, WRONG, Judgement, Output
from duograd.runner.gradcheck.layer import Layer
from duograd.runner.gradcheck.names import HOLDERS_OF_GRADIENTS, gradient_of, same_word
from duograd.runner.gradcheck.passes import record
from duograd.runner.gradcheck.returned import return_line
from duograd.runner.gradcheck.source import Source
from duograd.runner.gradcheck.truth import Truth
from duograd.runner.gradcheck.versions import Access, Version, ingredients, root

FEW = 40  # versions of a shape that a nameless value is compared with


def judge(layer: Layer, sources: dict[str, Source], truth: Truth) -> Judgement:
    """Compares every gradient that was returned, and if one is wrong, every value on the way to it."""
    recorder, run = record(layer, sources, truth.dy)
    gradients = layer.gradients(run)
    outputs = []
    for name, value in gradients.items():
        array = np.asarray(value, dtype=np.float64)
        error = truth.agrees(array, name)
        outputs.append(Output(name, array, error, bool(error < truth.tolerance)))
    missing = [name for name in layer.inputs() if name not in gradients and truth.matters(name)]
    judgement = Judgement(layer, truth, outputs, recorder.versions, missing=missing, numbers=recorder.numbers)
    judgement.y, judgement.originals = run.y, dict(layer.module.__dict__)
    if not judgement.ok:
        _Statuses(judgement, gradients).fill()
    return judgement


class _Statuses:
    """Fills a judgement in, value by value."""

    def __init__(self, judgement: Judgement, returned: dict[str, Any]) -> None:
        self.j, self.returned = judgement, returned
        self.truth, self.tolerance = judgement.truth, judgement.truth.tolerance
        self.given = {id(v.held): v for v in judgement.forward}
        self.wrong_outputs = {o.name for o in judgement.outputs if not o.ok}
        self.known: dict[tuple[tuple[int, ...], bytes], Version] = {}

    def fill(self) -> None:
        self._name_returned()
        self.last = _last_states(self.j, self.target)
        for version in self.j.backward:
            status, twin = self._status(version)
            if status == WRONG and any(self.j.status.get(r.order) in (WRONG, FOLLOWS) for r in self._behind(version)):
                status = FOLLOWS
            self.j.status[version.order] = status
            if twin is not None:
                self.j.twin[version.order] = twin
            if status == RIGHT:
                self.known[version.value.shape, version.value.tobytes()] = version
        for output in self.j.outputs:
            placed = {self.j.status[order] for order, name in self.target.items() if name == output.name}
            if not output.ok and not placed & {WRONG, FOLLOWS}:
                self._add_returned(output)

    def _add_returned(self, output: Output) -> None:
        """A wrong gradient of which no value on the way is one: what is returned at its place is wrong."""
        last = self.j.backward[-1] if self.j.backward else self.j.versions[-1]
        line = return_line(self.j.layer) or last.line
        access: Access = (f"return {output.name}",)
        version = replace(last, access=access, line=line, value=output.value, held=None, reads=(), phase="backward")
        version.order, version.step = len(self.j.versions), last.step + 1
        self.j.versions.append(version)
        self.j.__dict__.pop("backward", None)
        self.j.status[version.order], self.j.twin[version.order] = WRONG, output.name

    def _behind(self, version: Version) -> Iterator[Version]:
        """All that a value was made of, through what cannot be judged."""
        return ingredients(
            version.reads,
            lambda read: read.step <= version.step and read.phase == "backward",
            lambda read: self.j.status.get(read.order) not in (RIGHT, GIVEN),
        )

    def _name_returned(self) -> None:
        """The last state of each returned array, by identity or by value."""
        self.target: dict[int, str] = {}
        arrays = [id(value) for value in self.returned.values()]
        for output in self.j.outputs:
            held = self.returned[output.name]
            states = [v for v in self.j.backward if v.held is held]
            if arrays.count(id(held)) > 1:  # one array for two inputs: it is the gradient that its name says
                own = [v for v in states if gradient_of(v.base) == output.name.rsplit(".", 1)[-1]]
                states = own or [v for v in states if str(v.access[0]).startswith("return")]
            elif not states:
                states = [
                    v
                    for v in self.j.backward
                    if v.value.size == output.value.size and np.array_equal(v.value.ravel(), output.value.ravel())
                ]
            if states:
                self.target[states[-1].order] = output.name

    def _status(self, version: Version) -> tuple[str, Version | str | None]:
        output = self.target.get(version.order)
        if output is not None and version.line:
            right = output not in self.wrong_outputs
            return (RIGHT if right else WRONG), output
        if self._is_given(version):
            return GIVEN, None
        named = list(self._named(version))
        exact = next((v for v in named if self._equal(version, v)), None)
        if exact is not None:
            return RIGHT, exact
        fresh = self._fresh(version)
        is_last = version.order in self.last
        same_shape = [v for v in named if v.value.size == version.value.size]  # or reshaped on the way
        if output is None and self._is_masked(version):
            return UNKNOWN, None
        if is_last and fresh and same_shape and version.line:
            return WRONG, self._closest(version, same_shape)
        other = self._by_value(version)
        if other is not None:
            return RIGHT, other
        if is_last and same_shape and version.line and self._additive(version):
            return WRONG, self._closest(version, same_shape)
        return UNKNOWN, None

    def _is_given(self, version: Version) -> bool:
        """dy itself, and what the forward pass left."""
        forward = self.given.get(id(version.held))
        said = gradient_of(version.base) if version.line else None  # `dz = z` is a gradient, or should be
        if forward is not None and said is None and np.array_equal(forward.value, version.value):
            return True
        if version.line:
            return False
        if any(d.shape == version.value.shape and np.array_equal(d, version.value) for d in self.truth.dy):
            return self.j.layer.takes_upstream
        if version.scalar:
            return True
        same = self.known.get((version.value.shape, version.value.tobytes()))
        return same is not None or any(
            np.array_equal(v.value, version.value) for v in self.j.forward if v.value.shape == version.value.shape
        )

    def _named(self, version: Version) -> Iterator[Version]:
        """The forward values after which a value is named: dz, d_z, grad_z, z_grad, grads['z'], and dout after y."""
        said = gradient_of(version.base)
        if said is None and (version.holder in HOLDERS_OF_GRADIENTS or version.base in HOLDERS_OF_GRADIENTS):
            said = version.base
        if said is None:
            return
        exact = [v for v in self.j.forward if v.base == said]
        yield from exact or [v for v in self.j.forward if same_word(v.base, said)]

    def _equal(self, version: Version, forward: Version) -> bool:
        if version.value.size != forward.value.size:
            return False
        return self.truth.agrees(version.value.reshape(forward.value.shape), forward) < self.tolerance

    def _by_value(self, version: Version) -> Version | None:
        """The forward value whose gradient this is, whatever it is called."""
        if version.value.size < 2 or not version.value.any():
            return None
        alike = [v for v in self.j.forward if v.value.shape == version.value.shape]
        if len(alike) > FEW:
            return None
        return next((v for v in alike if self._equal(version, v)), None)

    def _fresh(self, version: Version) -> bool:
        """Whether its statement does not read the name that it writes."""
        statement = self._statement(version)
        return statement is None or root(version.access) not in statement.builds

    def _additive(self, version: Version) -> bool:
        """Whether a name that is made out of itself grows, as sums do; `d = d @ W` is another value under its name."""
        statement = self._statement(version)
        if statement is None:
            return False
        node = statement.node
        if isinstance(node, ast.AugAssign):
            return isinstance(node.op, ast.Add | ast.Sub)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
            return isinstance(node.value.op, ast.Add | ast.Sub)
        return True  # filled by index, or by a call

    def _is_masked(self, version: Version) -> bool:
        """Whether it was right and then set to 0 in places: `dh[h <= 0] = 0` goes on to the value before the ReLU."""
        statement = self._statement(version)
        node = statement.node if statement else None
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Subscript):
            return False
        if not isinstance(node.value, ast.Constant) or node.value.value != 0:
            return False
        states = (v for v in self.j.backward if v.access == version.access and v.call == version.call)
        return any(self.j.status.get(v.order) == RIGHT for v in states if v.step < version.step)

    def _statement(self, version: Version) -> Any:
        return self.j.truth.sources[version.file].statement(version.line) if version.line else None

    def _closest(self, version: Version, candidates: Sequence[Version]) -> Version:
        """Of several states of a name, the one that a wrong gradient is nearest to: by its slopes along directions."""
        if len(candidates) == 1:
            return candidates[0]
        return min(candidates[-FEW:], key=lambda v: _finite(self.truth.agrees(version.value.reshape(v.value.shape), v)))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 1e300


def _last_states(judgement: Judgement, target: Mapping[int, str]) -> set[int]:
    """Values that count: all but those that their own name built on, or replaced, before anyone else read them.

    A name is also built on by what is returned for it, as in `return dx * dout`. target: what is returned, by order.
    """

    def builds_on(later: Version, version: Version) -> bool:
        said = gradient_of(version.base) or version.base
        returned = str(later.access[0]).startswith("return") and later.value.shape == version.value.shape
        of_it = target.get(later.order, said).rsplit(".", 1)[-1] == said  # or a helper's, which its caller names
        return (returned and of_it) or root(later.access) == root(version.access)

    backward = judgement.backward
    readers: dict[int, list[Version]] = {}
    last: dict[tuple[int, Access], Version] = {}
    for version in backward:
        last[version.call, version.access] = version
        for read in (r for r in version.reads if r.call == version.call):
            readers.setdefault(read.order, []).append(version)
    counting = set[int]()
    for version in backward:
        later = [r for r in readers.get(version.order, []) if r is not version and r.step >= version.step]
        built_on = all(builds_on(r, version) for r in later)
        if not built_on or (not later and last[version.call, version.access] is version):
            counting.add(version.order)
    return counting
