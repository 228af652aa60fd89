"""duograd: every network twice, its gradient by hand in NumPy and by autograd in PyTorch.

run, sweep, search, compare, load, gradcheck; Run, Sweep, Runs; UserError, RunError: docs/python.md. Chain and Layer, of
which own networks are made: docs/own-code.md.
Nothing heavy is imported before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duograd.models.chain import Chain, Layer
    from duograd.runner.api.runs import Run, RunError, load
    from duograd.runner.api.several import Runs, Sweep
    from duograd.runner.api.start import compare, run, search, sweep
    from duograd.runner.api.values import interval
    from duograd.runner.errors import UserError
    from duograd.runner.gradcheck.findings import gradcheck

__all__ = [
    "Chain",
    "Layer",
    "Run",
    "RunError",
    "Runs",
    "Sweep",
    "UserError",
    "compare",
    "gradcheck",
    "interval",
    "load",
    "run",
    "search",
    "sweep",
]

WHERE = {
    "Chain": "models.chain:Chain",
    "Layer": "models.chain:Layer",
    "Run": "runner.api.runs:Run",
    "RunError": "runner.api.runs:RunError",
    "Runs": "runner.api.several:Runs",
    "Sweep": "runner.api.several:Sweep",
    "UserError": "runner.errors:UserError",
    "compare": "runner.api.start:compare",
    "gradcheck": "runner.gradcheck.findings:gradcheck",
    "interval": "runner.api.values:interval",
    "load": "runner.api.runs:load",
    "run": "runner.api.start:run",
    "search": "runner.api.start:search",
    "sweep": "runner.api.start:sweep",
}


def __getattr__(name: str) -> Any:
    """What is asked for by name, imported then."""
    if name not in WHERE:
        raise AttributeError(f"module 'duograd' has no attribute '{name}'")
    module, _, attribute = WHERE[name].partition(":")
    value = globals()[name] = getattr(import_module(f"duograd.{module}"), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
