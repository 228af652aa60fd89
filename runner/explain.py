"""What Hydra complains about, in one line with a remedy."""

import re
import shlex
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from duograd.runner import hydra_keys
from duograd.runner.arguments import PATHS, pasteable
from duograd.runner.errors import UserError, nearest, suggestion, system_fault
from duograd.runner.groups import CONF, groups

PARTS = ("model", "optimizer", "loss", "data", "backend")  # whose keys are looked through for one that is unknown
BESIDE = ("name", "defaults")  # keys of YAML files that nobody looks for
READERS = dict.fromkeys((".csv", ".tsv", ".parquet"), "table") | dict.fromkeys((".npz", ".npy"), "arrays")
ALIKE = 0.85  # how close a key elsewhere must be to be meant
FILE = r"In '(.+?)': \w+ raised while composing config:"  # what Hydra says of a YAML that does not fit
NEEDED = ("task", "data", "model", "loss", "optimizer", "backend")  # groups of which a run has one option each


def explain(error: Exception, overrides: Sequence[str] = ()) -> UserError:
    """The user's fault behind an exception on the way to a configuration. Re-raises what is not the user's.

    overrides: what was typed; where it chooses in a group what is no option, that is the fault.
    """
    from hydra.errors import HydraException, MissingConfigException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException

    match error:
        case UserError():
            return error
        case OverrideParseException():
            return UserError(_unreadable(error))
    if fault := _unreadable_file(error) or _wrong_choice(overrides):
        return UserError(fault)
    match error:
        case MissingConfigException():  # before OSError, which it is as well
            return UserError(_missing_option(error))
        case OSError():
            return UserError(system_fault(error))
        case HydraException() | OmegaConfBaseException():
            cause = error.__cause__ or error
            if isinstance(cause, OmegaConfBaseException):
                return UserError(omegaconf_fault(cause))
            if isinstance(error.__context__, OmegaConfBaseException) and (file := re.match(FILE, str(error))):
                return UserError(f"{file[1]}.yaml: {omegaconf_fault(error.__context__)}")
            return UserError(_composition_fault(str(error)))
    if _is_hydras(error):
        reason = ": ".join(filter(None, [type(error).__name__, str(error).partition("\n")[0]]))
        return UserError(f"Hydra cannot use {shlex.join(overrides)} ({reason})")
    raise error


def _unreadable_file(error: Exception) -> str | None:
    """A configuration of the user's own that is no YAML, or includes itself."""
    from yaml import MarkedYAMLError

    match error:
        case MarkedYAMLError(problem_mark=mark, problem=problem) if mark:
            return f"{mark.name}, line {mark.line + 1}: {_first_line(str(problem))}: correct it"
        case UnicodeDecodeError() if _is_hydras(error):
            return "a configuration of yours is no text in UTF-8: save it again"
        case RecursionError() if _is_hydras(error):
            return "a configuration of yours includes itself: leave it out of its own defaults"
    return None


def _is_hydras(error: Exception) -> bool:
    """Whether Hydra failed by itself, before any of our code had its turn: at what somebody typed."""
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    ours = {file.name for file in files if Path(__file__).resolve().parent in file.resolve().parents}
    return ours <= {"cli.py", "__main__.py", "compose.py"} and any("hydra" in file.parts for file in files)


def _unreadable(error: Any) -> str:
    """Text that Hydra's grammar has no place for: why, and how to quote it."""
    text, cause = str(error.override), error.__cause__
    key, equals, value = text.partition("=")
    if cause is None:
        quoting = f"; text is quoted: {pasteable(key, value)}" if re.fullmatch(r"[\w.+/@-]+", key) else ""
        return f"cannot read '{text}': {_unexpected(text, error.message)}{quoting if equals else ''}"
    if unknown := re.match(r"Unknown function '(\w+)'\nAvailable: (\S+)", str(cause)):
        return f"cannot read '{text}': unknown function '{unknown[1]}'{suggestion(unknown[1], unknown[2].split(','))}"
    return f"cannot read '{text}': {cause}"


def _unexpected(text: str, message: str) -> str:
    """What the grammar stopped at."""
    if "LexerNoViableAlt" in message:
        [*_, marked] = (line for line in message.splitlines() if line.strip() == "^")
        at = len(marked) - len("LexerNoViableAltException: ") - 1
        return f"'{text[at : at + 1]}' at character {at + 1} has no meaning there"
    if found := re.search(r"(?:mismatched|extraneous) input '(.+?)' expecting|at input '(.+?)'\n", message):
        token = found[1] or found[2]
        return "it ends too early" if token == "<EOF>" else f"unexpected '{token}'"
    return "expected key=value"


def _wrong_choice(overrides: Sequence[str]) -> str | None:
    """A group for which no name, or no single one, was chosen."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import OverrideParseException

    known = groups()
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except OverrideParseException as error:
        return _unreadable(error)
    for override in parsed:
        key = str(override.key_or_group)
        if override.is_delete() and key in NEEDED:
            return f"{override.input_line}: a run needs one, {key}=NAME{suggestion(key, known[key])}"
        if key not in known or override.is_sweep_override():
            continue
        value = override.value()
        if value is None and key in NEEDED:
            return f"{override.input_line}: a run needs one, {key}=NAME{suggestion('', known[key])}"
        if isinstance(value, list):
            return f"{override.input_line}: choose one{suggestion('', known[key])}"
        if isinstance(value, int | float):
            return f"unknown {key} '{value}'{suggestion(str(value), known[key])}"
    return None


def _missing_option(error: Any) -> str:
    """`model=lstmm`: the group, the option and those there are."""
    missing = str(error.missing_cfg_file or "")
    if not error.options:
        return _first_line(str(error))
    group, _, option = missing.rpartition("/")
    if group == "data" and (reader := READERS.get(Path(option).suffix.lower())):
        return f"unknown data '{option}': a file of that kind is read by data={reader} data.path={option}"
    return f"unknown {group} '{option}'{suggestion(option, error.options)}"


def not_set(key: str) -> str:
    """What to do about a key without a value."""
    if key == "optimizer.lr":
        return (
            f"{key} is not set, and no table of rates has one: add {key}=0.01, or give your optimizer lr: float = 0.01"
        )
    return f"{key} is not set: add {key}=VALUE"


def omegaconf_fault(cause: Any) -> str:
    """A key that is not there, with those that are; or a value that does not fit its key."""
    key = str(cause.full_key or cause.key or "")
    parent, _, last = key.rpartition(".")
    if key.startswith(hydra_keys.PREFIX) and re.match("Key '.*' (is )?not in ", str(cause)):
        return hydra_keys.unknown_key(key, map(str, cause.parent_node or {}))
    if "is not in struct" in str(cause):
        known = [str(k) for k in (cause.parent_node or {})]
        if not parent and (fault := _unchosen(last)):
            return fault
        return _unknown_key(key, known)
    if key and "Missing mandatory value" in str(cause):
        return not_set(key)
    if fault := hydra_keys.misfit(key, str(cause)):
        return fault
    return f"{key}: {_first_line(str(cause))}" if key else _first_line(str(cause))


def _composition_fault(message: str) -> str:
    """Overrides of a group or key that does not exist, and several values of one, which Hydra reports in words only."""
    line = _first_line(message)
    if several := re.search(r"(?:Ambiguous value for argument|Sweep parameters) '(.+?)'(?: requires|$)", line):
        return _several_values(several[1])
    if found := re.search(r"Could not append to config. An item is already at '(.+)'", line):
        return f"'{found[1]}' is there already: leave out the + to change it"
    if found := re.search(r"Could not override '([^'@]+)'", line):
        word = found[1].split(".")[0]
        return _unchosen(word) or _unknown_key(word, _keys())
    return line


def _keys() -> list[str]:
    """What stands at the top of a configuration of ours."""
    return [*groups(), *re.findall(r"^(\w+):", (CONF / "config.yaml").read_text(), flags=re.MULTILINE)]


def _unknown_key(key: str, known: Sequence[str]) -> str:
    """With the key that was meant: beside it, in another part (`lr` is optimizer.lr), or of another option."""
    parent, _, word = key.rpartition(".")
    usual = f"unknown key '{key}'{suggestion(word, known, f'{parent}.' if parent else '')}"
    if nearest(word, known):
        return usual
    parts = _keys_of_parts()
    for other in nearest(word, parts, ALIKE):
        group, *names = parts[other]
        if f"{group}.{other}" != key:
            return f"unknown key '{key}': did you mean '{group}.{other}'?"
        return usual.replace(": ", f": it is of {group}={', '.join(names)}; ", 1)
    return usual


def _keys_of_parts() -> dict[str, list[str]]:
    """The keys that options of a part have, each with the first such part and its options: lr, [optimizer, adam, …]."""
    owners: dict[str, list[str]] = {}
    for group in PARTS:
        for path in sorted((CONF / group).glob("*.yaml")):
            for key in re.findall(r"^(\w+):", path.read_text(), flags=re.MULTILINE):
                if key not in BESIDE and owners.setdefault(key, [group])[0] == group:
                    owners[key].append(path.stem)
    return owners


def _unchosen(word: str) -> str | None:
    """The fault of a configuration that does not start from ours, and so lacks what is known."""
    return (
        f"the configuration has no {word}: begin its file with defaults: [config, _self_]" if word in _keys() else None
    )


def _several_values(override: str) -> str:
    key, _, value = override.partition("=")
    if key in PATHS:
        return f"{override} is more than one path: quote it where it is one, {pasteable(key, value)}"
    listable = not re.match(r"\w+\(", value) and key not in groups()
    alone = f", or type a list as {shlex.quote(f'{key}=[{value}]')}" if listable else ""
    return f"{override} has several values: add -m to train once for each{alone}"


def _first_line(text: str) -> str:
    """The first line that says something: one that ends in a colon needs the next."""
    lines = [line.strip() for line in text.strip().splitlines()] or ["no message"]
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
