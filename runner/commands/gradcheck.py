"""Prove gradients by hand.

`duograd gradcheck task=TASK [key=value …]` checks a network, numerically and against autograd; `duograd gradcheck
layers` each layer by itself, numerically, with the report's figures beside ours.
"""

import argparse

import numpy as np
from rich.console import Console
from rich.table import Table

from duograd.data.errors import DataError
from duograd.runner.errors import UserError

CEILING = 1e-6  # of a relative error, in float64
SAMPLES = 16


def main(arguments: list[str]) -> int:
    """Prints the largest relative errors; 0 where all are below the ceiling, else 1. Raises UserError."""
    parser = argparse.ArgumentParser(prog="duograd gradcheck", description=__doc__)
    parser.add_argument("--threshold", type=float, default=CEILING, help="the largest relative error that passes")
    options, words = parser.parse_known_args(arguments)
    table, worst = _layers(words, options.threshold) if "layers" in words else _network(words, options.threshold)

    console = Console()
    console.print(table, highlight=False)
    passed = worst < options.threshold
    verdict = "[green]passed[/green]" if passed else "[red]FAILED[/red]"
    console.print(f"{verdict}: the largest is {worst:.1e}, the ceiling {options.threshold:.0e}", highlight=False)
    return 0 if passed else 1


def _network(overrides: list[str], threshold: float) -> tuple[Table, float]:
    """Errors per parameter, and the largest."""
    numerical, autograd = errors(overrides)
    return _table(numerical, autograd, threshold), _worst([*numerical.values(), *autograd.values()])


def _layers(words: list[str], threshold: float) -> tuple[Table, float]:
    """The report's table with ours beside it, and the largest of ours."""
    if words != ["layers"]:
        others = " ".join(word for word in words if word != "layers")
        raise UserError(f"gradcheck layers takes no {others}: the layers' checks have shapes and values of their own")
    from duograd.runner.gradcheck.layers import layer_checks

    table = Table("check", "published", "ours", title="Relative errors of the layers by hand (float64)")
    checks = list(layer_checks())
    for name, published, error in checks:
        table.add_row(name, "-" if published is None else f"{published:.1e}", _cell(error, threshold))
    return table, _worst([check.error for check in checks])


def _worst(errors: list[float]) -> float:
    """The largest, or NaN if one is: Python's max would let it pass."""
    return float(np.max(errors))


def errors(overrides: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Relative errors per parameter, against numerical differences and against autograd, in float64."""
    from duograd.runner import build
    from duograd.runner.compose import compose
    from duograd.runner.gradcheck.network import against_differences, against_engine

    by_hand = compose([*overrides, "dtype=float64", "backend=numpy"])
    by_autograd = compose([*overrides, "dtype=float64", "backend=torch"])
    try:
        data = build.data_set(by_hand)
    except DataError as error:
        raise UserError(str(error)) from None
    batch = data.train.batch(slice(SAMPLES))
    engine = build.numpy_engine(by_hand, data)
    numerical = against_differences(engine, batch, np.random.default_rng(by_hand.seed))
    return numerical, against_engine(engine, build.torch_engine(by_autograd, data), batch)


def _table(numerical: dict[str, float], autograd: dict[str, float], threshold: float) -> Table:
    table = Table("parameter", "by hand ↔ numerical", "by hand ↔ autograd", title="Largest relative error (float64)")
    for name, error in numerical.items():
        table.add_row(name, *(_cell(e, threshold) for e in (error, autograd[name])))
    return table


def _cell(error: float, threshold: float) -> str:
    return f"{error:.1e}" if error < threshold else f"[red]{error:.1e}[/red]"
