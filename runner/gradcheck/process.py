"""Checking a user's file in a process of its own, with a limit on its time.

The file is the user's own code and runs with the user's rights; a loop without an end ends with the limit.
"""

import contextlib
import io
import json
import subprocess
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from duograd.runner import tied
from duograd.runner.errors import UserError
from duograd.runner.gradcheck.discovery import layers_of, load_module
from duograd.runner.gradcheck.findings import check_layer
from duograd.runner.gradcheck.inputs import Shape
from duograd.runner.gradcheck.layer import ForwardError
from duograd.runner.gradcheck.verdict import LayerCheck

SECONDS = 120.0


def check_file(
    path: Path, name: str | None, shapes: Mapping[str, Shape] | None, seconds: float = SECONDS
) -> tuple[list[LayerCheck], list[str]]:
    """Every layer of a file, or the named one; and a line for each that could not be checked.

    Raises UserError where none could, or the file itself cannot be run; a fault of the user's code with its lines.
    """
    request = json.dumps({"path": str(path), "name": name, "shapes": shapes})
    command = [sys.executable, "-P", "-m", __name__, request]
    try:
        with tied.pipe() as stdin:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, stdin=stdin)
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
    return TypeAdapter(list[LayerCheck]).validate_python(content["layers"]), content["errors"]


def answer(request: str) -> dict[str, Any]:
    """What the child says: the layers' checks, or the error in the words that the user is to read."""
    asked = json.loads(request)
    path = Path(asked["path"])
    shapes = None if asked["shapes"] is None else {name: tuple(shape) for name, shape in asked["shapes"].items()}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            module, source = load_module(path)
        layers = layers_of(module, source, asked["name"])
    except Exception as error:
        return {"error": _line(error, path)}
    checks, errors = [], []
    for layer in layers:
        try:
            checks.append(asdict(check_layer(layer, shapes)))
        except Exception as error:
            errors.append(_line(error, path))
    return {"layers": checks, "errors": errors} if checks else {"error": "; ".join(errors)}


def _line(error: Exception, path: Path) -> str:
    """One line for a user's fault; where their code raised, with the lines of theirs that it went through."""
    if isinstance(error, UserError):
        return str(error)
    cause = error.__cause__ if isinstance(error, ForwardError) and error.__cause__ else error
    frames = [f for f in traceback.extract_tb(cause.__traceback__) if Path(f.filename) == path.resolve()]
    what = f"{type(cause).__name__}: {' '.join(str(cause).split())}"
    where = ", ".join(f"line {frame.lineno}, in {frame.name}" for frame in frames)
    last = f": `{frames[-1].line}`" if frames else ""
    return f"{path}: its own code raised {what} ({where}{last})" if frames else f"{path}: its own code raised {what}"


if __name__ == "__main__":
    tied.end_with_parent()
    print("\0" + json.dumps(answer(sys.argv[1])))
