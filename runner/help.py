"""duograd --help: what can be typed. Hydra's own page names groups that nobody chooses, and no command."""

from collections.abc import Iterator, Sequence
from shutil import get_terminal_size

from duograd.runner.explain import groups
from duograd.runner.subcommands import COMMANDS

TITLE = "duograd: every network twice - by hand in NumPy, and by autograd in PyTorch."
FIRST = ("task", "model", "data", "loss", "optimizer")  # of the groups; then the others, the short ones first
KEYS = "; keys: GROUP=OPTION ... --help; all: --help all"


def show(overrides: Sequence[str], everything: bool = False) -> int:
    """Prints the page: one screen; with all options, and the keys of what was chosen so far, where asked. Returns 0.

    Raises UserError.
    """
    keys = list(_keys(overrides)) if overrides or everything else []
    width = 10_000 if everything else min(get_terminal_size().columns, 100)
    fitting = " that go with these choices" if overrides else KEYS
    lines = [*_commands(), f"Groups, each with its options{fitting}:", *_groups(width, overrides), *keys]
    print("\n".join([TITLE, *lines]))
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


def _groups(width: int, overrides: Sequence[str]) -> list[str]:
    """Each group with its options, no longer than the screen; short groups share a line."""
    known = _offered(overrides) if overrides else groups()  # for which nothing need be imported
    others = sorted(known.keys() - set(FIRST), key=lambda name: len(", ".join(known[name])))
    lines: list[str] = []
    for name in [*FIRST, *others]:
        part = _fitted(f"  {name}: ", known[name], width)
        room = next((i for i, line in enumerate(lines) if len(line) + len(part) < width), len(lines))
        lines[room : room + 1] = ["".join(lines[room : room + 1]) + part]
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
    cut = whole[: width - len(count) - 1]
    return cut.rpartition(", ")[0] + count


def _keys(overrides: Sequence[str]) -> Iterator[str]:
    """The keys that these choices lead to, with their values."""
    from omegaconf import OmegaConf

    from duograd.runner.compose import compose_tree

    yield "\nKeys, with what they are:\n"
    yield from (f"  {line}" for line in OmegaConf.to_yaml(compose_tree(overrides)).splitlines())
    yield ""
