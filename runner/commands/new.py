"""Write a small file of your own that works as it is: a network, a layer, data, a loss or an optimizer.

Its first lines say what to type next: how to prove its gradient, how to train, a sweep to try.
"""

import keyword
import re
import shlex
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import duograd
from duograd.runner.errors import UserError
from duograd.runner.subcommands import command_parser

STARTERS = Path(duograd.__file__).parent / "starters"  # examples/own of the checkout
KINDS = ("net", "layer", "data", "loss", "optimizer")


def main(arguments: list[str]) -> int:
    """Writes NAME.py, from the current directory; 0. Raises UserError where it is there already."""
    parser = command_parser("new", __doc__)
    parser.add_argument("kind", choices=KINDS, help="what it is to be")
    parser.add_argument("name", metavar="NAME", help="the file is NAME.py")
    given = parser.parse_args(arguments)
    path = Path(f"{given.name.removesuffix('.py')}.py")
    if not path.stem.isidentifier() or keyword.iskeyword(path.stem):
        raise UserError(f"{path.name}: Python cannot import a file of that name: use letters, digits and _")
    if path.stem in sys.stdlib_module_names or path.stem in packages_distributions():
        raise UserError(f"{path.name} would stand in for Python's module of that name: choose another name")
    text = written(given.kind, path.name)
    try:
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        raise UserError(f"{path} is there already: choose another name") from None
    print(f"{path} is written. Next:")
    print("\n".join(commands(text, path)))
    return 0


def written(kind: str, file: str) -> str:
    """The text of a starter under the name of its new file."""
    return re.sub(rf"\b{kind}\.py", file, (STARTERS / f"{kind}.py").read_text())


def commands(text: str, path: Path) -> list[str]:
    """What its first lines say can be typed where it lies, as it is typed where it was asked for."""
    lines = [line.strip() for line in text.split('"""')[1].splitlines()]

    def here(word: re.Match[str]) -> str:
        return shlex.quote(word[0].replace(path.name, str(path)))

    typed = [re.sub(rf"\S*\b{re.escape(path.name)}\S*", here, line) for line in lines]
    return [f"  {line}" for line in typed if line.startswith("duograd ")]
