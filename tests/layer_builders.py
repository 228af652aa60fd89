"""What the tests of layers share: gradients by differences and by autograd, and bugs to plant."""

from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from recurrent_builders import mutant

Array = NDArray[Any]
CEILING = 1e-6  # of a relative error, float64, central differences
EXACT = 1e-11  # float64: only the order of sums differs
STEP = 1e-6


def draw(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def by_hand(layer: Any, *arrays: Array, seed: int = 1) -> tuple[Array, list[Array]]:
    """y and dL/d(array) of every array, for L = Σ y ⊙ R with a random R. Layers without parameters give dx alone."""
    y, backward = layer(*arrays)
    result = backward(draw(*y.shape, seed=seed).astype(y.dtype))
    dx, grads = result if isinstance(result, tuple) else (result, {})
    return y, [dx, *grads.values()]


def by_autograd(layer: Any, *arrays: Array, seed: int = 1) -> tuple[Array, list[Array]]:
    """The same of a torch function."""
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = layer(*tensors)
    y.backward(torch.from_numpy(draw(*y.shape, seed=seed)).to(y.dtype))
    return y.detach().numpy(), [t.grad.numpy() for t in tensors]


def worst(layer: Any, *arrays: Array) -> float:
    """The largest error of a gradient against differences, relative to that gradient's largest entry."""
    _, gradients = by_hand(layer, *arrays)
    return max(_error(layer, arrays, i, g) for i, g in enumerate(gradients))


def _error(layer: Any, arrays: tuple[Array, ...], which: int, gradient: Array) -> float:
    def loss(index: tuple[int, ...], move: float) -> float:
        moved = [a.copy() for a in arrays]
        moved[which][index] += move
        y, _ = layer(*moved)
        return float((y * draw(*y.shape, seed=1)).sum())

    numerical = np.empty_like(arrays[which])
    for index in np.ndindex(numerical.shape):
        numerical[index] = (loss(index, STEP) - loss(index, -STEP)) / (2 * STEP)
    return float(np.abs(numerical - gradient).max() / max(np.abs(numerical).max(), np.abs(gradient).max(), 1e-12))


def assert_same(
    ours: tuple[Array, list[Array]], theirs: tuple[Array, list[Array]], rtol: float = 1e-9, atol: float = EXACT
) -> None:
    """Values and gradients."""
    for a, b in zip([ours[0], *ours[1]], [theirs[0], *theirs[1]], strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def plant(monkeypatch: Any, user: ModuleType, module: ModuleType, right: str, wrong: str) -> None:
    """`user` works from now on with a bug in itself, or in a module that it imports names from."""
    changed = mutant(module, right, wrong)
    for name, value in list(vars(user).items()):
        if getattr(value, "__module__", None) == module.__name__ and hasattr(changed, name):
            monkeypatch.setattr(user, name, getattr(changed, name))


class Watched(np.ndarray):
    """An array of which every result of arithmetic must keep the dtype."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **options: Any) -> Any:
        options |= {"out": tuple(map(plain, out))} if out else {}
        options |= {"where": plain(options["where"])} if "where" in options else {}
        result = getattr(ufunc, method)(*map(plain, inputs), **options)
        if out:
            return out[0]
        assert result.dtype.kind != "f" or result.dtype == self.dtype, f"{ufunc.__name__} makes {result.dtype}"
        return result.view(Watched) if isinstance(result, np.ndarray) else result


def plain(a: Any) -> Any:
    return a.view(np.ndarray) if isinstance(a, Watched) else a
