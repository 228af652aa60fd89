"""Layers as people write them, four ways, behind one face: run it forward, run it backward, name its gradients.

1. a function that returns (y, backward)          2. NAME_forward(…) -> (out, cache) and NAME_backward(dout, cache)
3. a class with forward(x) and backward(dout)     4. a loss f(W, …) -> (scalar, gradients)
"""

import copy
import inspect
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.errors import UserError
from duograd.runner.gradcheck.places import Path, floats, get, put, written
from duograd.runner.gradcheck.returned import of_object, of_result
from duograd.runner.gradcheck.source import Source

Array = NDArray[Any]
SEED = 0
CACHES = ("cache", "ctx", "saved", "context")  # a backward whose first argument is called so takes dout second


class ForwardError(Exception):
    """The user's own code raised; the cause is its exception."""


@dataclass
class Pass:
    """One run. y: the output, or all of them; result: what backward returned; layer: the object, where it is one."""

    y: tuple[Array, ...]
    result: Any = None
    layer: Any = None
    arguments: tuple[Any, ...] = ()
    backward: Callable[..., Any] | None = None


@dataclass
class Layer:
    """One layer of a file. owner: the function or class at the top of the file that holds its backward."""

    name: str
    form: str  # closure | pair | class | loss
    forward: Any
    backward: Any
    source: Source
    module: Any  # whose __dict__ holds the file's names
    parameters: tuple[str, ...] = ()
    example: Callable[[], Any] | None = None
    doc: str = ""
    arguments: tuple[Any, ...] = field(default=(), repr=False)
    instance: Any = None
    paths: dict[str, Path] | None = field(default=None, repr=False)

    def inputs(self) -> dict[str, Path]:
        """Where all lies that a gradient can be asked for: floats among the arguments and the object's attributes."""
        if self.paths is None:
            self.paths = {written(path): path for path in self._places()}
        return self.paths

    def _places(self) -> Iterator[Path]:
        def own(value: Any) -> bool:
            return type(value).__module__ == self.module.__dict__.get("__name__") and not callable(value)

        def part(value: Any) -> bool:
            return own(value) or hasattr(value, "backward")

        for name, value in zip(self.parameters, self.arguments, strict=False):
            yield from (path for path, _ in floats(name, value, own))
        if self.instance is not None:
            self.instance, self.paths = copy.deepcopy(self.instance), {}
            for path, value in floats("self", vars(self.instance), part):
                put(get(self.instance, path[1:-1]), path[-1], floating(value))
            after = self.start().layer or self.instance
            for path, value in floats("self", vars(self.instance), part):
                if _kept(after, path[1:], value):
                    yield path

    def value_of(self, name: str) -> Array:
        """The value of an input."""
        path = self.inputs()[name]
        return np.asarray(get(*_from(path, self.instance, self.parameters, self.arguments)))

    def start(self, changed: Mapping[str, Array] | None = None) -> Pass:
        """Forward, from the same start each time. Raises ForwardError."""
        random.seed(SEED)
        np.random.seed(SEED)
        instance, arguments = copy.deepcopy((self.instance, list(self.arguments)))
        for name, value in (changed or {}).items():
            root, path = _from(self.inputs()[name], instance, self.parameters, arguments)
            put(get(root, path[:-1]), path[-1], value if np.ndim(value) else float(value))
        try:
            if self.form == "class":
                y = instance.forward(*arguments)
                return Pass(outputs(y), layer=instance, arguments=tuple(arguments), backward=instance.backward)
            value = (self.forward if instance is None else instance.loss)(*arguments)
            first = value[0]
        except RecursionError:
            raise
        except Exception as error:
            raise ForwardError(f"the layer's own code raised {error!r}") from error
        second: Any = value[1] if len(value) == 2 else tuple(value[1:])
        if self.form == "closure":
            return Pass(outputs(first), arguments=tuple(arguments), backward=second)
        if self.form == "pair":
            again = partial(self._with_cache, second)
            return Pass(outputs(first), arguments=tuple(arguments), backward=again)
        return Pass(outputs(first), result=second, arguments=tuple(arguments))

    def _with_cache(self, cache: Any, *dy: Array) -> Any:
        first = next(iter(inspect.signature(self.backward).parameters), "")
        return self.backward(cache, *dy) if any(word in first.lower() for word in CACHES) else self.backward(*dy, cache)

    @property
    def takes_upstream(self) -> bool:
        """Whether dy is given to it; the backward of a loss starts from 1."""
        return self.form != "loss" and (self.form != "class" or self._upstream() > 0)

    def _upstream(self) -> int:
        """How many of the arguments of an object's backward are gradients of outputs; none in a loss's."""
        words = list(inspect.signature(type(self.instance).backward).parameters.values())[1:]
        if any(p.kind is p.VAR_POSITIONAL for p in words):
            return len(words)
        return sum(p.name not in self.parameters for p in words) or (len(words) if len(words) == 1 else 0)

    def finish(self, run: Pass, dy: tuple[Array, ...]) -> Pass:
        """Backward from dy. Raises ForwardError."""
        if run.backward is not None:
            given: list[Any] = [np.array(d, copy=True) for d in dy] if self.takes_upstream else []
            if self.form == "class":
                given = self._given(run, given)
            try:
                run.result = run.backward(*given)
            except Exception as error:
                raise ForwardError(f"the layer's own code raised {error!r}") from error
        return run

    def _given(self, run: Pass, dy: list[Any]) -> list[Any]:
        """The arguments of an object's backward: dy, and those of forward that it asks for again by their names."""
        words = list(inspect.signature(run.backward).parameters) if run.backward else []
        again = dict(zip(self.parameters, run.arguments, strict=False))
        if len(words) < 2 or not any(word in again for word in words):
            return dy
        ahead = iter(dy)
        return [again[word] if word in again else next(ahead, None) for word in words]

    def gradients(self, run: Pass) -> dict[str, Any]:
        """The gradients that came out of a pass, by the input that each belongs to. Raises UserError."""
        paths = self.inputs()
        own = {name: path for name, path in paths.items() if path[0] == "self"}
        gradients = of_object(run.layer, own) if run.layer is not None else {}
        left = [name for name in paths if name not in gradients]
        gradients |= of_result(run.result, left, self)
        if not gradients:
            raise UserError(
                f"{self.name}: its backward returns no gradient that belongs to an input: return one for each of "
                f"{', '.join(paths)}, or put them into attributes such as dW"
            )
        return gradients


def _kept(after: Any, path: Path, value: Any) -> bool:
    """Whether forward leaves a value of its object as it was: what it computes anew is no parameter."""
    try:
        return bool(np.array_equal(get(after, path), value, equal_nan=True))
    except (KeyError, TypeError):
        return False


def _from(path: Path, instance: Any, parameters: tuple[str, ...], arguments: Any) -> tuple[Any, Path]:
    """What a path begins at, and the rest of it."""
    if path[0] == "self":
        return instance, path[1:]
    return arguments, (parameters.index(str(path[0])), *path[1:])


def changed_inputs(layer: Layer) -> list[str]:
    """The arguments that forward overwrites: their caller's arrays, and often a cache of its own."""
    after = layer.start().arguments
    pairs = zip(layer.parameters, layer.arguments, after, strict=False)
    return [
        n for n, a, b in pairs if isinstance(a, np.ndarray) and not np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    ]


def floating(value: Any) -> Any:
    """Single precision is too coarse to judge a gradient by: the example is tried in float64."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.array(value, dtype=np.float64)
    if isinstance(value, dict):
        return {key: floating(item) for key, item in value.items()}
    if isinstance(value, list):
        return [floating(item) for item in value]
    return value


def outputs(y: Any) -> tuple[Array, ...]:
    """All outputs of a layer."""
    if isinstance(y, tuple | list):
        return tuple(
            np.asarray(part, dtype=np.float64 if np.ndim(part) == 0 else None) for part in y if part is not None
        )
    return (np.asarray(y, dtype=np.float64 if np.ndim(y) == 0 else None),)
