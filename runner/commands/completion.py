"""duograd completion bash | zsh | fish: a script with which the shell completes commands, run folders, groups and keys.

It asks `duograd completion ask SHELL LINE` for what may follow a line; whatever goes wrong then, nothing is printed.
"""

import os
import shlex
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

from duograd.runner.errors import UserError
from duograd.runner.groups import groups
from duograd.runner.subcommands import COMMANDS, command_parser

SCRIPTS = {
    "bash": """\
# In ~/.bashrc: eval "$(duograd completion bash)"
_duograd() {
    local IFS=$'\\n'
    COMPREPLY=($(duograd completion ask bash "${COMP_LINE:0:$COMP_POINT}" 2>/dev/null))
    case "${COMPREPLY[0]}" in *[=/.]) compopt -o nospace ;; esac
}
complete -o default -F _duograd duograd
""",
    "zsh": """\
# In ~/.zshrc: eval "$(duograd completion zsh)"
(( $+functions[compdef] )) || { autoload -U compinit && compinit; }
_duograd() {
    local -a found unfinished
    found=("${(@f)$(duograd completion ask zsh "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
    unfinished=(${(M)found:#*[=/.]})
    found=(${found:#*[=/.]})
    if (( $#found + $#unfinished == 0 )); then compset -P '*='; _files; return; fi
    compadd -Q -S '' -a unfinished
    compadd -Q -a found
}
compdef _duograd duograd
""",
    "fish": """\
# duograd completion fish > ~/.config/fish/completions/duograd.fish
function __duograd
    set -l found (duograd completion ask fish (commandline -cp) 2>/dev/null)
    set -l word (commandline -ct)
    set -l key (string match -r '^.*=' -- $word)
    set -q found[1]; or set found "$key"(__fish_complete_path (string replace -r '^.*=' '' -- $word))
    printf '%s\\n' $found
end
complete -c duograd -f -a '(__duograd)'
""",
}
IN_FOLDERS = ("resume", "rerun", "watch", "compare", "sync")  # commands whose arguments are folders of runs
WITH_KEYS = ("gradcheck",)
MOST_LOOKED = 3000  # folders: an answer must come at once
DEEP = 4  # folders below the current one, at most, in which runs are looked for


def main(arguments: list[str]) -> int:
    """Prints the script of a shell, or what may follow a line; 0. Raises UserError."""
    if arguments[:1] == ["ask"]:
        return _answer(*arguments[1:3])
    parser = command_parser("completion", __doc__)
    parser.add_argument("shell", choices=SCRIPTS, help="the shell that is to complete")
    print(SCRIPTS[parser.parse_args(arguments).shell], end="")
    return 0


def _answer(shell: str, line: str = "") -> int:
    found = candidates(line)
    if shell == "bash":  # readline's words end at =, and only the last is replaced
        last = line.split(" ")[-1]
        found = [text[last.rfind("=") + 1 :] for text in found]
    print("".join(f"{text}\n" for text in found), end="")
    return 0


def candidates(line: str) -> list[str]:
    """What the last word of a command line may become, sorted."""
    _, *before, word = line.split(" ") if " " in line else (line, "")
    config_dir = _config_dir(before)
    command = None if config_dir else next(iter(before), None)
    if command in IN_FOLDERS:
        options = _folders(word)
    elif command is None or command in WITH_KEYS or command not in COMMANDS:
        options = list(_overrides([text for text in before if "=" in text], word, config_dir))
        options += [] if command else [*COMMANDS, "help"]
    else:
        options = list(SCRIPTS) if command == "completion" else []
    return sorted({option for option in options if option.startswith(word)})


def _config_dir(before: list[str]) -> str | None:
    """The folder that --config-dir names, where there is one."""
    for flag, value in pairwise([*before, ""]):
        name, equals, text = flag.partition("=")
        if name in ("--config-dir", "-cd") and (folder := Path(text if equals else value).expanduser()).is_dir():
            before.remove(flag)
            return str(folder.absolute())
    return None


def _overrides(before: list[str], word: str, config_dir: str | None) -> Iterator[str]:
    """Options of the group in hand that go with these choices; else groups, and the keys that they lead to."""
    known = groups(*[Path(config_dir)] if config_dir else ())
    if word.startswith("hydra."):
        yield from (f"hydra.launcher.{key}=" for key in _launcher_keys())
        return
    group, equals, _ = word.partition("=")
    if equals:
        options = _gradients(before) if group == "gradient" else _options(group, before, config_dir, known)
        yield from (f"{group}={option}" for option in options)
        return
    yield from (f"{name}=" for name in known)
    yield from (f"{key}=" for key in _keys(before, config_dir))


def _launcher_keys() -> list[str]:
    from dataclasses import fields

    from hydra_plugins.duograd_dask import DaskLauncherConf

    return [field.name for field in fields(DaskLauncherConf) if not field.name.startswith("_")]


def _options(group: str, before: list[str], config_dir: str | None, known: dict[str, list[str]]) -> list[str]:
    from duograd.runner.compose import offered

    try:
        return offered(before, config_dir).get(group, [])
    except UserError:  # what was typed so far is no configuration yet
        return known.get(group, [])


def _gradients(before: list[str]) -> list[str]:
    from duograd.models.errata.table import names_of
    from duograd.runner.compose import compose

    try:
        config = compose(before)
    except UserError:  # what was typed so far is no configuration yet
        return []
    return names_of(config.model, config.optimizer)


def _keys(before: list[str], config_dir: str | None) -> list[str]:
    from omegaconf import OmegaConf

    from duograd.runner.compose import compose_tree
    from duograd.runner.store.overrides import dotted

    try:
        tree = OmegaConf.to_container(compose_tree(before, config_dir))
    except UserError:  # what was typed so far is no configuration yet
        return []
    assert isinstance(tree, dict)
    return [key for key, _ in dotted({str(name): value for name, value in tree.items()}) if not key.endswith(".name")]


def _folders(word: str) -> list[str]:
    """The folders of runs and sweeps below the one that was typed so far; where there is none, any folder there."""
    above = Path(os.path.expanduser(word.rpartition("/")[0] or "."))  # noqa: PTH111 - a Path would normalise
    found = []
    for folder, below, files in islice(os.walk(above), MOST_LOOKED):
        if {"run.json", "sweep.json"} & set(files):
            found.append(folder.removeprefix("./"))
            below.clear()  # the jobs of a sweep are for those who ask for them
        elif len(Path(folder).relative_to(above).parts) >= DEEP:
            below.clear()
    return [shlex.quote(folder) for folder in found] or [f"{path}/" for path in above.iterdir() if path.is_dir()]
