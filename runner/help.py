"""duograd --help: what can be typed. Hydra's own page names groups that nobody chooses, and no command."""

from collections.abc import Iterator, Mapping, Sequence
from shutil import get_terminal_size

from duograd.runner.groups import groups
from duograd.runner.subcommands import COMMANDS

TITLE = "duograd: every network twice - by hand in NumPy, and by autograd in PyTorch."
# Two groups share a line of the page: the second has at most so many columns, the first what is left.
PAIRS = {"task": "backend", "model": "tracking", "data": "experiment", "loss": "preset", "optimizer": "sweep"}
SECOND = 44
KEYS = "; keys: GROUP=OPTION ... --help; all: --help all"


def show(overrides: Sequence[str], everything: bool = False) -> int:
    """Prints the page: one screen; with all options, and the keys of what was chosen so far, where asked. Returns 0.

    Raises UserError.
    """
    keys = list(_keys(overrides)) if overrides or everything else []
    known = _offered(overrides) if overrides else groups()  # for which nothing need be imported
    lines = _whole(known) if keys else _paired(known, min(get_terminal_size().columns, 100))
    fitting = " that go with these choices" if overrides else KEYS
    print("\n".join([TITLE, *_commands(), f"Groups, each with its options{fitting}:", *lines, *keys]))
    return 0


def _commands() -> list[str]:
    """The ways to type a command, each with what it does."""
    ways = {
        "model.hidden_size=100": "train a network",
        "-m model.hidden_size=10,50": "train it once for each value",
        **{f"{name} {command.usage}": command.does for name, command in COMMANDS.items()},
        "help [COMMAND]": "this page, a command's; --hydra-help",
    }
    return [f"  duograd {way:31}  {does}" for way, does in ways.items()]


def _whole(known: Mapping[str, Sequence[str]]) -> list[str]:
    """Each group with all of its options."""
    return [f"  {name}: {', '.join(options)}" for name, options in known.items() if options]


def _paired(known: Mapping[str, Sequence[str]], width: int) -> list[str]:
    """Two groups a line, no longer than the screen."""
    lines = []
    for name, other in PAIRS.items():
        second = _fitted(f"  {other}: ", known[other], SECOND) if known[other] else ""
        lines.append(_fitted(f"  {name}: ", known[name], width - len(second)) + second)
    return lines


def _offered(overrides: Sequence[str]) -> dict[str, list[str]]:
    from duograd.runner.compose import offered

    return offered(overrides)


def _fitted(start: str, options: Sequence[str], width: int) -> str:
    """The options that fit the width, and how many there are where they do not."""
    whole = start + ", ".join(options)
    if len(whole) < width:
        return whole
    count = f", ... ({len(options)} in all)"
    cut = whole[: width - len(count) + 1]  # with the comma after the last that fits
    return cut.rpartition(", ")[0] + count


def _keys(overrides: Sequence[str]) -> Iterator[str]:
    """The keys that these choices lead to, with their values."""
    from omegaconf import OmegaConf

    from duograd.runner.compose import compose_tree
    from duograd.runner.key_help import explained

    tree = compose_tree(overrides)
    yield "\nKeys, with what they are:\n"
    yield from (f"  {line}" for line in explained(OmegaConf.to_yaml(tree), tree))
    yield ""
