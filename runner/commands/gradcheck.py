"""Prove gradients by hand.

`duograd gradcheck task=TASK [key=value …]` checks a network, numerically and against autograd; `duograd gradcheck
layers` each of our layers by itself, with the report's figures beside ours; `duograd gradcheck my_layer.py[:NAME]` the
layers of a file of your own, and names the first line of their backward that is wrong.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from duograd.data.errors import DataError
from duograd.runner.compose import chosen
from duograd.runner.display import waiting
from duograd.runner.errors import UserError
from duograd.runner.gradcheck.verdict import LayerCheck, OutputCheck
from duograd.runner.subcommands import command_parser

CEILING = 1e-6  # of a relative error, in float64
SAMPLES = 16


def main(arguments: list[str]) -> int:
    """Prints the largest relative errors; 0 where all are below the ceiling, else 1. Raises UserError."""
    parser = command_parser("gradcheck", __doc__, "Of your own: duograd gradcheck my_layer.py --watch.")
    parser.add_argument("--threshold", type=float, default=CEILING, help="the largest relative error that passes")
    parser.add_argument("--shapes", help='of a layer of your own: "x 5x3, gamma 3"')
    parser.add_argument("--json", metavar="FILE", type=Path, help="write what was found, one object a layer")
    parser.add_argument("--watch", action="store_true", help="check again whenever the file is saved")
    parser.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="for a file of your own")
    options, words = parser.parse_known_args(arguments)
    if words and own_file(words[0]):
        return _own(words, options)
    if words and "=" not in words[0] and Path(f"{words[0]}.py").is_file():
        raise UserError(f"gradcheck {words[0]}: a file is named with its ending: {words[0]}.py")
    check: Callable[[list[str], float], tuple[Any, dict[str, float]]] = _layers if "layers" in words else _network
    console = Console()
    if check is _network and (choice := chosen(words)):
        console.print(str(choice), highlight=False)
    with waiting(console, "measuring gradients"):
        table, errors_by_name = check(words, options.threshold)
    console.print(table, highlight=False)
    worst = float(np.max(list(errors_by_name.values())))  # NaN if one is: Python's max would let it pass
    passed = worst < options.threshold
    verdict = "[green]passed[/green]" if passed else "[red]FAILED[/red]"
    console.print(f"{verdict}: the largest is {worst:.1e}, the ceiling {options.threshold:.0e}", highlight=False)
    if options.json is not None:
        _write(options.json, [_as_check(" ".join(words), errors_by_name, options.threshold)])
    return 0 if passed else 1


def _as_check(name: str, errors_by_name: Mapping[str, float], threshold: float) -> LayerCheck:
    """The same form as that of a layer of a user's."""
    outputs = [OutputCheck(key, error < threshold, error) for key, error in errors_by_name.items()]
    return LayerCheck(name, all(output.ok for output in outputs), outputs, [])


def _write(path: Path, checks: Sequence[LayerCheck]) -> None:
    from duograd.runner.store.files import write_json

    write_json(path, [check.as_dict() for check in checks])


def own_file(word: str) -> bool:
    """Whether a word names a Python file, with or without one of its layers: my_layer.py, my_layer.py:batchnorm."""
    return word.endswith(".py") or ".py:" in word


def _own(words: list[str], options: argparse.Namespace) -> int:
    """0: every gradient is right, 1: one is wrong. Raises UserError."""
    from duograd.runner.gradcheck.inputs import parse_shapes

    if len(words) > 1:
        raise UserError(f"gradcheck takes one file, not also {' '.join(words[1:])}")
    path, _, name = words[0].partition(".py:") if ".py:" in words[0] else (words[0], "", "")
    file = Path(f"{path}.py" if name else path)
    shapes = parse_shapes(options.shapes) if options.shapes else None
    if not options.watch:
        return _once(file, name or None, shapes, options)
    return _watch(file, name or None, shapes, options)


def _once(file: Path, name: str | None, shapes: Mapping[str, tuple[int, ...]] | None, options: Any) -> int:
    from duograd.runner.gradcheck.process import check_file

    console = Console()
    if options.json is not None and not options.json.absolute().parent.is_dir():
        raise UserError(f"--json {options.json}: there is no folder {options.json.parent}: make it first")
    checks, errors = check_file(file, name, shapes, options.timeout)
    for check in checks:
        console.print(check, soft_wrap=True)
    if options.json is not None:
        _write(options.json, checks)
    if errors:
        raise UserError("; ".join(errors))
    return 0 if all(check.ok for check in checks) else 1


def _watch(file: Path, name: str | None, shapes: Mapping[str, tuple[int, ...]] | None, options: Any) -> int:
    """Again whenever the file changes, until Ctrl-C; the exit code of the last time."""
    console, code, seen = Console(), 2, None
    try:
        while True:
            now = file.stat().st_mtime_ns if file.exists() else 0
            if now != seen:
                seen = now
                console.clear()
                try:
                    code = _once(file, name, shapes, options)
                except UserError as error:
                    code = 2
                    console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
                console.print(f"watching {file}; Ctrl-C ends", style="dim", markup=False, highlight=False)
            time.sleep(0.2)
    except KeyboardInterrupt:
        return code


def _network(overrides: list[str], threshold: float) -> tuple[Group, dict[str, float]]:
    """Errors per parameter, as a table and by name: the larger of the two kinds."""
    notes: list[str] = []
    numerical, autograd = errors(overrides, notes)
    table = _table(numerical, autograd, threshold)
    return Group(table, *map(Text, notes)), {
        name: float(np.maximum(error, autograd.get(name, error))) for name, error in numerical.items()
    }


def _layers(words: list[str], threshold: float) -> tuple[Table, dict[str, float]]:
    """The report's table with ours beside it, and ours by name."""
    if words != ["layers"]:
        others = " ".join(word for word in words if word != "layers")
        raise UserError(f"gradcheck layers takes no {others}: the layers' checks have shapes and values of their own")
    from duograd.runner.gradcheck.layers import layer_checks

    table = Table("check", "published", "ours", title="Relative errors of the layers by hand (float64)")
    checks = list(layer_checks())
    for name, published, error in checks:
        table.add_row(name, "-" if published is None else f"{published:.1e}", _cell(error, threshold))
    return table, {check.name: check.error for check in checks}


def errors(overrides: list[str], notes: list[str] | None = None) -> tuple[dict[str, float], dict[str, float]]:
    """Relative errors per parameter, against numerical differences and against autograd, in float64.

    Where no data is chosen, the task's offline source serves: a gradient needs no download. The second are none where
    a user's network or loss has no twin. notes: gets what is to be said of that, and of kinks.
    """
    from duograd.runner import build
    from duograd.runner.compose import compose
    from duograd.runner.gradcheck.network import against_differences, against_engine
    from duograd.runner.own.modules import guarded
    from duograd.runner.registry import FAMILIES, LOSSES

    offline = [] if any(text.startswith("data=") for text in overrides) else ["data=offline/${task}"]
    by_hand = compose([*offline, *overrides, "dtype=float64", "backend=numpy"])
    exact = [text for text in overrides if not text.startswith("gradient=")]  # of the report's, only that of our half
    by_autograd = compose([*offline, *exact, "dtype=float64", "backend=torch"])
    try:
        data = build.data_set(by_hand)
    except DataError as error:
        raise UserError(str(error)) from None
    batch = data.train.batch(slice(SAMPLES))
    engine = build.numpy_engine(by_hand, data)
    kinked: list[str] = []
    with guarded():
        numerical = against_differences(engine, batch, np.random.default_rng(by_hand.seed), kinked=kinked)
    lacking = FAMILIES.of(by_hand.model).no_twin(by_hand.model) or LOSSES.of(by_hand.loss).no_twin
    if notes is not None:
        notes += [f"at a kink, so measured a little beside it by differences: {', '.join(kinked)}"] if kinked else []
        notes += [f"by differences alone: {lacking}"] if lacking else []
    if lacking:
        return numerical, {}
    return numerical, against_engine(engine, build.torch_engine(by_autograd, data), batch)


def _table(numerical: dict[str, float], autograd: dict[str, float], threshold: float) -> Table:
    kinds = ["by hand ↔ numerical", *(["by hand ↔ autograd"] if autograd else [])]
    table = Table("parameter", *kinds, title="Largest relative error (float64)")
    for name, error in numerical.items():
        both = (error, autograd[name]) if autograd else (error,)
        table.add_row(name, *(_cell(e, threshold) for e in both))
    return table


def _cell(error: float, threshold: float) -> str:
    return f"{error:.1e}" if error < threshold else f"[red]{error:.1e}[/red]"
