"""What tests of users' own code share: files of theirs, and small runs in this process."""

from pathlib import Path

import pytest

from duograd.runner.compose import compose
from duograd.runner.errors import UserError
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

EXAMPLES = Path(__file__).parents[1] / "examples" / "own"
GAIT = ["task=activity", "data=gait", "data.count=36", "data.test_count=24", "data.window=9", "epochs=2"]
ALWAYS = ["tracking=none", "task.figures=[]"]

CHAIN = """
import numpy as np
import duograd
from duograd.models.chain import flatten
from duograd.models.layers.dense import affine, relu


def net(shape, outputs, width: int = 8):
    inputs = int(np.prod(shape))
    return duograd.Chain([
        flatten,
        duograd.Layer(affine, weight=(width, inputs), bias=(width,)),
        relu,
        duograd.Layer(affine, weight=(outputs, width), bias=(outputs,)),
    ])
"""


def write(folder: Path, name: str, text: str) -> Path:
    """The path of a file with that text."""
    path = folder / name
    path.write_text(text)
    return path


def train(folder: Path, *overrides: str) -> dict:
    """The summary of a small run on simulated activities, which must end well."""
    typed = [*GAIT, *ALWAYS, *overrides]
    assert run(compose(typed), RunFolder(folder), typed) == 0
    return RunFolder(folder).read_summary()


def refused(*overrides: str) -> str:
    with pytest.raises(UserError) as refusal:
        compose([*GAIT, *ALWAYS, *overrides])
    return str(refusal.value)


def fault(folder, *overrides: str) -> str:
    """Why a run is refused, before it has a folder."""
    with pytest.raises(UserError) as refusal:
        train(folder / "refused", *overrides)
    assert not (folder / "refused" / "config.yaml").exists()
    return str(refusal.value)
