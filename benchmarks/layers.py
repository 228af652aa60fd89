"""Layers by hand, fast, beside the report's loops and torch: forward and backward, float32.

First the report's own shapes, then the convolutional blocks of its networks.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from benchmarks.measure import CONSOLE, Target, kernel, report, side_by_side, timed
from duograd.models.layers.activations import ACTIVATIONS
from duograd.models.layers.batch_norm import batch_norm
from duograd.models.layers.conv import conv2d
from duograd.models.layers.lines import images, lines
from duograd.models.layers.memory import keep_freed_memory
from duograd.models.layers.naive import conv2d_naive, max_pool2d_naive
from duograd.models.layers.pool import max_pool2d
from duograd.models.layers.threads import Threads

Array = NDArray[Any]
Work = Callable[[], object]
ROUNDS, CALLS = 15, 40  # as many in a row as make a thread that rested awake: steps of a training follow each other
BOUND = 1.15  # of a block
THREADS = Threads()
# x, W, padding, batch norm: conv - [batch norm] - relu - 2 × 2 max pool, as the networks have it
BLOCKS = {
    "three_layer_convnet": ((50, 3, 32, 32), (32, 3, 7, 7), 3, False),
    "challenge, first": ((64, 3, 32, 32), (16, 3, 5, 5), 2, True),
    "challenge, second": ((64, 16, 16, 16), (32, 16, 3, 3), 1, True),
    "challenge, third": ((64, 32, 8, 8), (64, 32, 3, 3), 1, True),
}


def main() -> None:
    """Prints times and ratios."""
    CONSOLE.print(f"layers; {kernel()}; torch {torch.get_num_threads()} threads", highlight=False)
    keep_freed_memory()  # as a NumPy run does
    convolution()
    pooling()
    for name, shapes in BLOCKS.items():
        work = {"by hand": block_by_hand(*shapes), "torch": block_by_torch(*shapes)}
        report(f"{name}: block", side_by_side(work, ROUNDS, CALLS), [Target("by hand", "torch", BOUND)])


def convolution() -> None:
    """25 filters 3 × 3, stride 2, padding 1, with the gradient of the input."""
    x, W, b, dy = draw(100, 3, 31, 31), draw(25, 3, 3, 3), draw(25), draw(100, 25, 16, 16)
    forward = partial(F.conv2d, stride=2, padding=1)
    work = {
        "by hand": one_blas_thread(lambda: conv2d(x, W, b, 2, 1, threads=THREADS)[1](dy)),
        "torch": both_ways(forward, [x, W, b], dy),
    }
    seconds = side_by_side(work, ROUNDS, CALLS)
    seconds["naive loops"] = [timed(lambda: conv2d_naive(x, W, b, 2, 1)[1](dy))] * ROUNDS  # seconds long: once will do
    targets = [Target("naive loops", "by hand", 500, at_least=True), Target("by hand", "torch", 1.5)]
    report("conv2d (100, 3, 31, 31), forward and backward", seconds, targets)


def pooling() -> None:
    """2 × 2, stride 2: each way against the loops, both against torch."""
    x, dy = draw(100, 3, 32, 32), draw(100, 3, 16, 16)
    forward, backward = (lambda: max_pool2d(x, 2, threads=THREADS)), max_pool2d(x, 2, threads=THREADS)[1]
    work = {
        "forward": forward,
        "backward": lambda: backward(dy),
        "by hand": lambda: forward()[1](dy),
        "torch": both_ways(partial(F.max_pool2d, kernel_size=2), [x], dy),
    }
    seconds = side_by_side(work, ROUNDS, CALLS)
    _, naive_backward = max_pool2d_naive(x, 2)
    seconds["naive forward"] = [timed(lambda: max_pool2d_naive(x, 2))] * ROUNDS
    seconds["naive backward"] = [timed(lambda: naive_backward(dy))] * ROUNDS
    targets = [
        Target("naive forward", "forward", 40, at_least=True),
        Target("naive backward", "backward", 40, at_least=True),
        Target("by hand", "torch", 3),
    ]
    report("max_pool2d (100, 3, 32, 32)", seconds, targets)


def block_by_hand(x_shape: tuple[int, ...], W_shape: tuple[int, ...], padding: int, norm: bool) -> Work:
    """As a network runs it: a first block does not need the gradient of its input; the pool comes before the ReLU."""
    x, W, b, scale, shift, dy = block_arrays(x_shape, W_shape)
    running = {"mean": np.zeros_like(shift), "var": np.ones_like(scale)}
    relu, first = ACTIVATIONS["relu"], x_shape[1] == 3
    x, dy = x if first else as_layers_lay(x), as_layers_lay(dy)

    def work() -> None:
        z, conv_back = conv2d(x, W, b, 1, padding, needs_dx=not first, threads=THREADS)
        norm_back = None
        if norm:
            z, norm_back = batch_norm(z, scale, shift, running, training=True, threads=THREADS)
        pooled, pool_back = max_pool2d(z, 2, threads=THREADS)
        a = relu.forward(pooled)
        dz = pool_back(relu.backward(dy.copy(order="K"), a))
        conv_back(dz if norm_back is None else norm_back(dz)[0])

    return one_blas_thread(work)


def as_layers_lay(x: Array) -> Array:
    """x (B, C, H, W) in memory as layers by hand leave it."""
    return images(np.ascontiguousarray(lines(x)))


def block_by_torch(x_shape: tuple[int, ...], W_shape: tuple[int, ...], padding: int, norm: bool) -> Work:
    x, W, b, scale, shift, dy = block_arrays(x_shape, W_shape)
    mean, var = torch.zeros(len(shift)), torch.ones(len(scale))

    def forward(x: torch.Tensor, W: torch.Tensor, b: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        z = F.conv2d(x, W, b, padding=padding)
        if norm:
            z = F.batch_norm(z, mean, var, *parameters, training=True)
        return F.max_pool2d(F.relu(z), 2)

    return both_ways(forward, [x, W, b, *([scale, shift] if norm else [])], dy, needs_dx=x_shape[1] != 3)


def block_arrays(x_shape: tuple[int, ...], W_shape: tuple[int, ...]) -> Iterable[Array]:
    """x, W, b, scale, shift, dy."""
    (B, _, H, W), F_ = x_shape, W_shape[0]
    return draw(*x_shape), draw(*W_shape), draw(F_), draw(F_), draw(F_), draw(B, F_, H // 2, W // 2)


def both_ways(forward: Callable[..., torch.Tensor], arrays: list[Array], dy: Array, needs_dx: bool = True) -> Work:
    """Torch's forward, and its backward to all arrays, or to all but the first."""
    tensors = [torch.from_numpy(a).requires_grad_(needs_dx or i > 0) for i, a in enumerate(arrays)]
    error = torch.from_numpy(dy)

    def work() -> None:
        for tensor in tensors:
            tensor.grad = None
        forward(*tensors).backward(error)

    return work


def one_blas_thread(work: Work) -> Work:
    """The same with BLAS on one thread inside of parts, as a network's step has it."""

    def on_one_thread() -> None:
        with THREADS.single_blas_thread():
            work()

    return on_one_thread


def draw(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


if __name__ == "__main__":
    main()
