"""What Hydra complains about, in one line with a remedy."""

import re
from pathlib import Path
from typing import Any

from duograd.runner.errors import UserError, suggestion, system_fault

CONF = Path(__file__).resolve().parents[1] / "conf"
RATES = "rates"  # a group that follows from task, model and optimizer: nobody chooses in it


def explain(error: Exception) -> UserError:
    """The user's fault behind an exception on the way to a configuration. Re-raises what is not the user's."""
    from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException

    cause = error.__cause__ or error
    match error:
        case UserError():
            return error
        case OverrideParseException():
            return UserError(f"cannot read '{error.override}': {_first_line(error.message)}")
        case MissingConfigException():  # before OSError, which it is as well
            return UserError(_missing_option(error))
        case OSError():
            return UserError(system_fault(error))
        case ConfigCompositionException() if isinstance(cause, OmegaConfBaseException):
            return UserError(_omegaconf_fault(cause))
        case HydraException() | OmegaConfBaseException():
            return UserError(_composition_fault(str(error)))
    raise error


def groups() -> dict[str, list[str]]:
    """The groups of conf/ that are chosen by hand, and their options."""
    folders = [path for path in sorted(CONF.iterdir()) if path.is_dir() and path.name != RATES]
    options = {folder.name: sorted(path.stem for path in folder.glob("*.yaml")) for folder in folders}
    return {name: names for name, names in options.items() if names}


def _missing_option(error: Any) -> str:
    """`model=lstmm`: the group, the option and those there are."""
    missing = str(error.missing_cfg_file or "")
    if not error.options:
        return _first_line(str(error))
    group, _, option = missing.rpartition("/")
    return f"unknown {group} '{option}'{suggestion(option, error.options)}"


def _omegaconf_fault(cause: Any) -> str:
    """A key that is not there, with those that are; or a value that does not fit its key."""
    key = str(cause.full_key or cause.key or "")
    parent, _, last = key.rpartition(".")
    if "is not in struct" in str(cause):
        known = [str(k) for k in (cause.parent_node or {})]
        return f"unknown key '{key}'{suggestion(last, known, f'{parent}.' if parent else '')}"
    return f"{key}: {_first_line(str(cause))}"


def _composition_fault(message: str) -> str:
    """Overrides of a group or key that does not exist, which Hydra reports in words only."""
    line = _first_line(message)
    if found := re.search(r"Could not override '([^'@]+)'", line):
        keys = re.findall(r"^(\w+):", (CONF / "config.yaml").read_text(), flags=re.MULTILINE)
        word = found[1].split(".")[0]
        return f"unknown key '{word}'{suggestion(word, [*groups(), *keys])}"
    return line


def _first_line(text: str) -> str:
    """The first line that says something: one that ends in a colon needs the next."""
    lines = [line.strip() for line in text.strip().splitlines()] or ["no message"]
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
