"""The sub-commands of `duograd`: what each does, and the parser that it reads its arguments with."""

import argparse
from typing import NamedTuple, NoReturn

from duograd.runner.errors import UserError


class Command(NamedTuple):
    """What stands after the name, what it does in a few words, and a line that works."""

    usage: str
    does: str
    example: str


COMMANDS = {
    "resume": Command(
        "RUN | SWEEP", "go on with what was interrupted", "outputs/autoencoder/2026-11-25_10-00-00_000000"
    ),
    "rerun": Command("RUN", "do a run again: is it the same?", "outputs/autoencoder/2026-11-25_10-00-00_000000"),
    "watch": Command("SWEEP", "look at a sweep that runs elsewhere", "outputs/sweeps/2026-11-25_10-00-00"),
    "compare": Command("RUN... | SWEEP", "which did best, and what differs", "outputs/autoencoder"),
    "reproduce": Command("STUDY...", "the report's figures, made again", "--quick"),
    "gradcheck": Command("FILE.py | KEY=VALUE...", "prove gradients; find a wrong line", "my_layer.py"),
    "new": Command("net|layer|data NAME", "write code of your own that works", "net my_net"),
    "bench": Command("NAME...", "speed, as ratios inside one run", "layers"),
    "filters": Command("IMAGE...", "convolution as image processing", 'photo.jpg --kernel "0 1 0; 1 -4 1; 0 1 0"'),
    "sync": Command("RUN...", "bring MLflow up to date", "outputs"),
    "ui": Command("", "look at all runs in MLflow", "--port 5001"),
    "completion": Command("bash | zsh | fish", "let the shell complete what you type", "bash >> ~/.bashrc"),
}


class CommandParser(argparse.ArgumentParser):
    """Of a sub-command: a fault is one line, as everywhere."""

    def error(self, message: str) -> NoReturn:
        needs = message.replace("the following arguments are required:", f"{self.prog.rpartition(' ')[2]} needs")
        raise UserError(f"{needs}: see {self.prog} --help")


def command_parser(name: str, description: str | None = None, epilog: str = "") -> argparse.ArgumentParser:
    """The parser of a sub-command, whose --help ends in an example."""
    example = f"Example: duograd {name} {COMMANDS[name].example}"
    return CommandParser(
        prog=f"duograd {name}",
        description=description or f"{COMMANDS[name].does.capitalize()}.",
        epilog=" ".join(filter(None, [epilog, example])),
    )
