"""The command line: `duograd SUB-COMMAND …`, or else Hydra's `duograd key=value …`.

Nothing heavy is imported here: `--help` and tab completion answer at once.
"""

import io
import itertools
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from importlib import import_module

from duograd.runner.errors import UserError, one_line, suggestion, system_fault
from duograd.runner.redaction import redact, redacted_streams
from duograd.runner.subcommands import COMMANDS

SLOW_TO_START = ("resume", "compare", "sync", "watch")  # commands that import for a second or two


def main() -> None:
    """Runs the command line and ends the process: 0 well, 1 a run failed, 2 the user's error, 130 Ctrl-C."""
    open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may know ASCII alone
    exact = sys.argv[1:2] == ["completion"]  # a shell compares what it is offered with what was typed
    with nullcontext() if exact else redacted_streams(sys.stdout, sys.stderr):
        sys.exit(exit_code(lambda: dispatch(sys.argv[1:])))


def open_closed_streams() -> None:
    """Standard streams that were closed (`>&-`) lead nowhere: else the next file opened takes their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            while os.open(os.devnull, os.O_RDWR) < number:
                pass
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115, PTH123


def dispatch(arguments: Sequence[str]) -> int:
    """What was asked for; its exit code. Raises UserError."""
    match arguments:
        case [command, *rest] if command in COMMANDS:
            if command in SLOW_TO_START:
                say_starting(rest)
            return run_command(command, rest)
        case ["help", command, *_] if command in COMMANDS:
            return run_command(command, ["--help"])
        case ["help", command, *_] if command != "all":
            raise UserError(f"unknown command '{command}'{suggestion(command, COMMANDS)}")
    if "--version" in arguments:
        return print_versions()
    if not arguments or {"--help", "-h", "help"} & set(arguments):
        from duograd.runner.help import show

        return show([a for a in arguments if "=" in a], everything="all" in arguments)
    return train(arguments)


def exit_code(command: Callable[[], int]) -> int:
    """What the command comes to: its own code, 2 with one line for a user's error, 130 for Ctrl-C."""
    try:
        return int(command())
    except UserError as error:
        return complain(error)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:  # whoever read what was printed has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        return complain(system_fault(error))


def complain(error: Exception | str) -> int:
    """One line on standard error; the exit code of a user's fault."""
    with suppress(OSError):  # a full disk behind standard error
        if traceback := getattr(error, "traceback", None):  # of the user's own code
            print(traceback, end="", file=sys.stderr)
        print(f"duograd: {one_line(redact(str(error)))}", file=sys.stderr, flush=True)
    return 2


def run_command(name: str, arguments: Sequence[str]) -> int:
    """A sub-command's exit code. Raises UserError. ~ is the home, also between quotes, where shells leave it."""
    if name != "completion":
        arguments = [os.path.expanduser(text) for text in arguments]  # noqa: PTH111 - not all of them are paths
    return int(import_module(f"duograd.runner.commands.{name}").main(list(arguments)))


def print_versions() -> int:
    """Ours, and those of what computes."""
    from importlib.metadata import PackageNotFoundError, version
    from platform import python_version

    print(f"duograd {version('duograd')}")
    print(f"python {python_version()}")
    for package in ("numpy", "torch", "hydra-core", "mlflow"):
        try:
            print(f"{package} {version(package)}")
        except PackageNotFoundError:
            print(f"{package} is not installed")
    return 0


def say_starting(arguments: Sequence[str]) -> None:
    """Something is on the screen before the imports that take a second; what comes next is written over it."""
    only_printed = any(a.startswith("-") and a not in ("-m", "--multirun") for a in arguments)
    if sys.stdout.isatty() and not only_printed:
        print("starting …", end="\n" if os.environ.get("TERM") == "dumb" else "\r", flush=True)


def with_task(flags: Sequence[str], overrides: list[str]) -> list[str]:
    """The overrides, after the task that they lead to where they name none, which is said. Raises UserError."""
    from duograd.runner.compose import chosen
    from duograd.runner.origin import ROOT
    from duograd.runner.store.records import Origin

    values = dict(itertools.pairwise(flags))
    hydra = [text for text in overrides if text.startswith("hydra.searchpath=")]
    choice = chosen(overrides, Origin(values.get("--config-name", ROOT), values.get("--config-dir"), hydra))
    if choice is None:
        return overrides
    print(choice, file=sys.stderr if {"--cfg", "--info"} & set(flags) else sys.stdout)
    return [*choice.overrides, *overrides]


def train(arguments: Sequence[str]) -> int:
    """Hydra composes, then calls `job` once for each run; its exceptions become one line. Raises UserError."""
    from duograd.runner.arguments import ready, split

    say_starting(arguments)
    flags, overrides = split(ready(arguments))
    overrides = with_task(flags, overrides)
    sys.argv[1:] = [*flags, *overrides]

    import hydra
    from omegaconf import DictConfig

    from duograd.runner.explain import explain

    os.environ["HYDRA_FULL_ERROR"] = "1"
    worst = 0

    @hydra.main(version_base="1.3", config_path="pkg://duograd.conf", config_name="config")
    def job(tree: DictConfig) -> None:
        nonlocal worst
        from duograd.runner.job import run_job

        try:
            code = run_job(tree)
        except Exception as error:  # a user's not through Hydra, which would add lines of its own
            code = complain(explain(error, overrides))
        if code > 128:
            sys.exit(code)  # a signal is for all the jobs that one process runs
        worst = max(worst, code)

    try:
        job()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    except Exception as error:
        raise explain(error, overrides) from None
    return worst
