"""What was typed, made ready for Hydra: flags first, paths quoted. What cannot be meant is refused in one line."""

import os
import re
from collections.abc import Sequence

from duograd.data.pasting import for_shell, quoted
from duograd.runner.errors import UserError, nearest, suggestion
from duograd.runner.groups import groups
from duograd.runner.subcommands import COMMANDS

SHORT = {"-c": "--cfg", "-p": "--package", "-r": "--run", "-m": "--multirun", "-i": "--info", "-h": "--help"}
SHORT |= {"-sc": "--shell-completion", "-cp": "--config-path", "-cn": "--config-name", "-cd": "--config-dir"}
SWITCHES = {"--resolve", "--run", "--multirun", "--shell-completion", "--hydra-help"}
CHOICES = {
    "--cfg": ("job", "hydra", "all"),
    "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
}
VALUED = {"--cfg", "--package", "--config-path", "--config-name", "--config-dir", "--info", "--experimental-rerun"}
MODES = ("--run", "--multirun", "--cfg", "--info", "--shell-completion")
REFUSED = {
    "--experimental-rerun": "'duograd resume RUN' goes on with a run, and its run.json has the command to repeat it",
    "--config-path": "--config-dir DIR adds a folder of yours to ours, --config-name NAME starts from a file in it",
}
KNOWN = {*SWITCHES, *VALUED, "--help", "--version"}

TAKES = "a run takes key=value"
RUNS, SWEEPS = ("run", "train", "fit", "start"), ("sweep", "grid", "multirun", "search")  # commands elsewhere

PATHS = ("data.root", "data.path", "hydra.run.dir", "hydra.sweep.dir", "tracking.uri")  # any text is a value of theirs
OWN, OWN_FILE = ("model", "loss", "optimizer", "data"), re.compile(r"\.py(:\w+)?(,|$)")  # groups, and files for options
PLAIN = re.compile(r"[\w/\-+.$%*@?|:\\]*", re.ASCII)  # what Hydra takes for text as it stands
NO_TEXT = re.compile(r"[+-]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(e[+-]?\d+)?|[+-]?(inf|nan)|true|false", re.IGNORECASE)
FUNCTION = re.compile(r"(choice|range|interval|glob|shuffle|sort|tag|str|extend_list)\(.*\)", re.DOTALL)
INTERPOLATION = re.compile(r"\$\{[^}]+\}")


def ready(arguments: Sequence[str]) -> list[str]:
    """The arguments as Hydra reads them: its flags come first, and paths may hold any character. Raises UserError."""
    flags, overrides = split(arguments)
    for override in sorted(overrides, key="=".__ne__):  # a lone = explains what stands around it
        refuse_what_is_no_override(override)
    return [*flags, *map(readable, overrides)]


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Flags with their values, and what else there is; Hydra's parser takes no flag after the first key=value."""
    flags: list[str] = []
    others: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument.startswith("-"):
            flags += _flag(argument, rest)
        else:
            others.append(argument)
    _refuse_what_does_not_go_together(flags)
    return flags, others


def _refuse_what_does_not_go_together(flags: Sequence[str]) -> None:
    modes = [flag for flag in MODES if flag in flags]
    if len(modes) > 1:
        raise UserError(f"{' and '.join(modes)} do not go together: leave out {modes[-1]}")
    for flag, what in {"--package": "picks a part", "--resolve": "fills in values"}.items():
        if flag in flags and "--cfg" not in flags:
            raise UserError(f"{flag} {what} of what --cfg prints: add --cfg job")


def _flag(argument: str, rest: list[str]) -> list[str]:
    """A flag by its long name, with the value that it needs, which is taken out of the rest. Raises UserError."""
    name, equals, value = argument.partition("=")
    name = SHORT.get(name, name)
    if name not in KNOWN:
        raise UserError(_no_option(argument, name, rest))
    if name not in VALUED:
        return [name]
    if not equals and rest and (rest[0] in CHOICES[name] if name == "--info" else not rest[0].startswith("-")):
        value = rest.pop(0)
    if name == "--info":  # its value may be left out
        value = value or "all"
    if not value:
        raise UserError(f"{name} needs a value: {', '.join(CHOICES.get(name, ())) or 'give one after it'}")
    return [name, _value(name, value)]


def _no_option(argument: str, name: str, rest: Sequence[str]) -> str:
    """The fault of a flag that there is not; most are settings, typed as for other programs."""
    key, equals, value = argument.lstrip("-").partition("=")
    if nearest(name, KNOWN, 0.8) or not re.fullmatch(r"--[a-zA-Z][\w.-]*", name):
        return f"unknown option '{argument}'{suggestion(name, KNOWN)}"
    value = (
        value if equals else next((word for word in rest[:1] if word and word[0] != "-" and "=" not in word), "VALUE")
    )
    return f"unknown option '{argument}': a setting has no dashes, {key.replace('-', '_')}={value}"


def _value(flag: str, value: str) -> str:
    """The value of a flag. Raises UserError where Hydra would end in a traceback, or take another configuration."""
    if flag in REFUSED:
        raise UserError(f"{flag} is not supported: {REFUSED[flag]}")
    if flag in CHOICES and value not in CHOICES[flag]:
        raise UserError(f"{flag} {value}: expected {', '.join(CHOICES[flag])}")
    return os.path.expanduser(value)  # noqa: PTH111 - a name is no path


def refuse_what_is_no_override(text: str) -> None:
    """Raises UserError for a word that is neither a command, which comes first, nor key=value."""
    if "=" in text.lstrip("+") and not text.lstrip("+~").startswith("="):
        return
    if text.startswith("~") and text[1:].strip():
        return
    if text in COMMANDS or text == "help":
        raise UserError(f"'{text}' comes first: duograd {text} ...")
    if text in ("=", "+="):
        raise UserError("a setting has no spaces around its =: epochs=10")
    if text.isidentifier():
        raise UserError(f"unknown command '{text}'{_no_command(text)}")
    raise UserError(f"cannot read '{text}': expected key=value")


def _no_command(word: str) -> str:
    """What to type for a word that is no command: most stand for a run, a sweep, or an option of a group."""
    if word in RUNS:
        return ": a run needs none, duograd model=gru"
    if word in SWEEPS:
        return ": a sweep is -m, duograd -m model.hidden_size=10,50"
    chosen = [f"{group}={word}" for group, options in groups().items() if word in options]
    return f": did you mean '{chosen[0]}'?" if chosen else f"{suggestion(word, [*COMMANDS, 'help'])}; {TAKES}"


def readable(override: str) -> str:
    """key=value as Hydra's grammar reads it: the values of a path are text, whatever their characters; ~ is the home.

    A comma parts values, as everywhere; what is quoted already is left as it is.
    """
    key, equals, value = override.partition("=")
    path = key.lstrip("+") in PATHS or (key in OWN and OWN_FILE.search(value))
    if not path or not equals or _is_quoted(value) or FUNCTION.fullmatch(value):
        return override
    return f"{key}={','.join(map(_path, value.split(',')))}"


def _path(text: str) -> str:
    return as_word(os.path.expanduser(text))  # noqa: PTH111 - a Path would normalise


def as_word(text: str) -> str:
    """One text, between quotes where Hydra would refuse it, or take it for a number or a list."""
    plain = _is_quoted(text) or (PLAIN.fullmatch(INTERPOLATION.sub("", text)) and not NO_TEXT.fullmatch(text))
    return text if plain else quoted(text)


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]


def pasteable(key: str, text: str) -> str:
    """key=text as a shell and Hydra both take it for one text."""
    return for_shell(f"{key}={quoted(text)}")
