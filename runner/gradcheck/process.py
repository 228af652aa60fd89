"""Checking a user's file in a process of its own, with a limit on its time.

The file is the user's own code and runs with the user's rights; a loop without an end ends with the limit.
"""

import json
import subprocess
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from duograd.runner.errors import UserError
from duograd.runner.gradcheck.discovery import layers_of, load_module
from duograd.runner.gradcheck.findings import check_layer
from duograd.runner.gradcheck.inputs import Shape
from duograd.runner.gradcheck.layer import ForwardError
from duograd.runner.gradcheck.verdict import Finding, LayerCheck, OutputCheck

SECONDS = 120.0


def check_file(
    path: Path, name: str | None, shapes: Mapping[str, Shape] | None, seconds: float = SECONDS
) -> list[LayerCheck]:
    """Every layer of a file, or the named one. Raises UserError for all that is the user's, with its own traceback."""
    request = json.dumps({"path": str(path), "name": name, "shapes": shapes})
    command = [sys.executable, "-P", "-m", __name__, request]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise UserError(f"{path} took longer than {seconds:g} s: give smaller inputs, or --timeout SECONDS") from None
    *_, answer = done.stdout.rpartition("\0")
    try:
        content = json.loads(answer)
    except ValueError:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UserError(f"{path} ended its process: {last}") from None
    if "error" in content:
        raise UserError(content["error"])
    return [_check(item) for item in content["layers"]]


def _check(item: dict[str, Any]) -> LayerCheck:
    return LayerCheck(
        name=item["name"],
        ok=item["ok"],
        outputs=[OutputCheck(**output) for output in item["outputs"]],
        findings=[Finding(**finding) for finding in item["findings"]],
        file=item["file"],
        marks={int(line): mark for line, mark in item["marks"].items()},
        notes=item["notes"],
        lines={int(line): text for line, text in item["lines"].items()},
    )


def answer(request: str) -> dict[str, Any]:
    """What the child says: the layers' checks, or the error in the words that the user is to read."""
    asked = json.loads(request)
    path = Path(asked["path"])
    shapes = None if asked["shapes"] is None else {name: tuple(shape) for name, shape in asked["shapes"].items()}
    try:
        module, source = load_module(path)
        return {"layers": [asdict(check_layer(layer, shapes)) for layer in layers_of(module, source, asked["name"])]}
    except UserError as error:
        return {"error": str(error)}
    except ForwardError as error:
        return {"error": f"{path}: its own code raised\n{own_traceback(error.__cause__, path)}"}
    except Exception as error:
        return {"error": f"{path}: its own code raised\n{own_traceback(error, path)}"}


def own_traceback(error: BaseException | None, path: Path) -> str:
    """The traceback of the user's code, from its first line on: ours above it is left out."""
    assert error is not None
    frames = traceback.extract_tb(error.__traceback__)
    first = next((k for k, frame in enumerate(frames) if Path(frame.filename) == path.resolve()), 0)
    lines = traceback.format_list(frames[first:])
    return "".join([*lines, *traceback.format_exception_only(error)]).rstrip()


if __name__ == "__main__":
    print("\0" + json.dumps(answer(sys.argv[1])))
