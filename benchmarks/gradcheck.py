"""How many planted mistakes the gradient debugger notices, places and explains; how long it takes.

Times are those of the processor: what else the machine does is not in them.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from gradient_bugs import BUGS, FILES, FOLDER, expected, planted

from duograd.runner.gradcheck.discovery import layers_of, load_module
from duograd.runner.gradcheck.findings import check_layer

DRAWS = 50  # of inputs for each right layer
LARGE = """
import numpy as np

def dense(x, W, b):
    z = x @ W + b
    y = np.tanh(z)

    def backward(dy):
        dz = dy * (1 - y)
        return dz @ W.T, x.T @ dz, dz.sum(axis=0)

    return y, backward

def example_dense():
    rng = np.random.default_rng(0)
    return rng.standard_normal((1000, 100)), rng.standard_normal((100, 50)), rng.standard_normal(50)

def conv(x, w):
    H, W, K = x.shape[2], x.shape[3], w.shape[2]
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(xp, (K, K), axis=(2, 3))
    y = np.einsum("bchwij,fcij->bfhw", windows, w, optimize=True)

    def backward(dy):
        dw = np.einsum("bchwij,bfhw->fcij", windows, dy, optimize=True)
        dxp = np.zeros_like(xp)
        for i in range(K):
            for j in range(K):
                dxp[:, :, i : i + H, j : j + W] += np.einsum("bfhw,fc->bchw", dy, w[:, :, j, i], optimize=True)
        return dxp[:, :, 1:-1, 1:-1], dw

    return y, backward

def example_conv():
    rng = np.random.default_rng(0)
    return rng.standard_normal((32, 3, 32, 32)), rng.standard_normal((4, 3, 3, 3))
"""  # a mistake in each


def main() -> None:
    """Prints the counts."""
    noticed = placed = explained = 0
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for number, bug in enumerate(BUGS):
            text, line = planted(bug)
            path = Path(folder) / f"bug{number}.py"
            path.write_text(text)
            module, source = load_module(path)
            [layer] = layers_of(module, source, bug[0])
            began = time.process_time()
            check = check_layer(layer)
            seconds.append(time.process_time() - began)
            finding = next(iter(check.findings), None)
            named = finding is not None and finding.line in expected(bug, line)
            noticed += not check.ok
            placed += named
            explained += named and any(word in finding.verdict for word in bug[3])
    count = len(BUGS)
    print(f"{count} mistakes: noticed {noticed} (all), line named {placed / count:.0%} (>= 92 %), ", end="")
    print(f"cause said {explained / count:.0%} (>= 75 %)")
    print(f"a layer with a mistake: median {sorted(seconds)[count // 2]:.2f} s, longest {max(seconds):.1f} s (< 2 s)")
    with tempfile.TemporaryDirectory() as folder:
        large(Path(folder) / "large.py")
    blamed = total = 0
    for name in FILES:
        module, source = load_module(FOLDER / f"{name}.py")
        for seed in range(DRAWS):
            for layer in layers_of(module, source):
                total += 1
                blamed += not check_layer(layer, seed=seed).ok
    print(f"right layers on {DRAWS} draws of inputs each: {total} checks, {blamed} blamed (none)")


def large(path: Path) -> None:
    """Prints what 10⁵ values cost."""
    path.write_text(LARGE)
    for layer in layers_of(*load_module(path)):
        began = time.process_time()
        [finding, *_] = check_layer(layer).findings
        seconds = time.process_time() - began
        values = sum(layer.value_of(name).size for name in layer.inputs())
        print(f"{layer.name} of {values} values: line {finding.line} in {seconds:.1f} s (< 20 s)")


if __name__ == "__main__":
    main()
