"""A run trains longer than it was asked to, and ends as if it had been asked for all of it at once."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from duograd.runner.config import RunConfig
from duograd.runner.errors import UserError
from duograd.runner.store import identity
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.overrides import key_of

EPOCHS = "epochs"
STOPPING, SOLVER = "early stopping", "L-BFGS"  # what a reason of the training's own begins with
NO_STOPPING = ("early_stopping.patience=null", "early_stopping.gap=null")


def with_epochs(config: RunConfig, folder: RunFolder, epochs: int) -> RunConfig:
    """The configuration of a folder's run with so many epochs. Raises UserError where that would be another run."""
    if epochs < 1:
        raise UserError(f"epochs={epochs}: expected greater than or equal to 1")
    if fault := fault_with(config, folder, epochs):
        raise UserError(f"{folder.path}: {fault}")
    return config.model_copy(update={EPOCHS: epochs})


def fault_with(config: RunConfig, folder: RunFolder, epochs: int) -> str | None:
    """Why the run cannot simply go on to so many epochs, and how to get there otherwise."""
    if epochs < config.epochs:
        return f"epochs={epochs} is less than the {config.epochs} that it trains already: ask for more, or start anew"
    if epochs > config.epochs and config.schedule.spans_the_run:
        remedy = f"start anew: {again(folder, f'epochs={epochs}')}"
        rates = f"schedule.name={config.schedule.name} is spread over its {config.epochs} epochs: it had other rates"
        return f"{rates}; {remedy}"
    return None


def own_end(folder: RunFolder, epochs: int) -> str | None:
    """Why a run that ended by itself would end there again, with however many epochs; None where it would not."""
    summary = folder.read_summary()
    reason = summary.get("stopped_by") or ""
    if not ends_by_itself(reason):
        return None
    end = f"it ended after epoch {summary['epochs']} ({reason}), and would again"
    return end if reason.startswith(SOLVER) else f"{end}; start anew: {again(folder, f'epochs={epochs}', *NO_STOPPING)}"


def ends_by_itself(reason: str) -> bool:
    """Whether a reason to stop is the training's own, and no file `stop`."""
    return reason.startswith((STOPPING, SOLVER))


def again(folder: RunFolder, *overrides: str) -> str:
    """The command that trains a run anew, with other values."""
    return with_overrides(str(folder.read_identity().get("command", "duograd …")), overrides)


def with_overrides(command: str, overrides: Sequence[str]) -> str:
    """A command with other values of some keys."""
    return shlex.join(with_values(shlex.split(command), overrides))


def with_values(typed: Sequence[str], overrides: Sequence[str]) -> list[str]:
    """What was typed with other values of some keys, each where it stood, new ones last."""
    new = {key_of(override): override for override in overrides}
    keys = [word.partition("=")[0].lstrip("+") for word in typed]
    kept = [new.get(key, word) for key, word in zip(keys, typed, strict=True)]
    return list(dict.fromkeys([*kept, *new.values()]))


def identity_of(who: Mapping[str, Any], config: RunConfig) -> dict[str, Any]:
    """What run.json says of the longer run."""
    asked = [f"{EPOCHS}={config.epochs}"]
    before = who.get("overrides", [])
    overrides = with_values(before, asked)
    given = who["name"] != identity.name(config, before)  # by its sweep
    return {
        **who,
        "overrides": overrides,
        "command": with_overrides(who["command"], asked),
        "name": who["name"] if given else identity.name(config, overrides),
    }
