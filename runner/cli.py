"""The command line: `duograd SUB-COMMAND …`, or else Hydra's `duograd key=value …`.

Nothing heavy is imported here: `--help` and tab completion answer at once.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module

SUB_COMMANDS = ("resume", "compare", "sync", "gradcheck", "filters", "bench", "ui")


def main() -> None:
    """Runs the command line and ends the process: 0 well, 1 a run failed, 2 the user's error, 130 Ctrl-C."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in SUB_COMMANDS:
        sys.exit(_exit_code(lambda: import_module(f"duograd.runner.commands.{arguments[0]}").main(arguments[1:])))
    if "--version" in arguments:
        sys.exit(_exit_code(_version))
    if not arguments or {"--help", "-h"} & set(arguments):
        sys.exit(_exit_code(lambda: _help([a for a in arguments if not a.startswith("-")])))
    sys.argv[1:] = multirun_first(arguments)
    sys.exit(_hydra())


def multirun_first(arguments: list[str]) -> list[str]:
    """-m to the front: Hydra's parser takes no flag after the first override."""
    flags = [a for a in arguments if a in ("-m", "--multirun")]
    return flags[:1] + [a for a in arguments if a not in flags]


def _exit_code(command: Callable[[], int]) -> int:
    """What the command comes to: its own code, 2 with one line for a user's error, 130 for Ctrl-C."""
    from duograd.runner.errors import UserError

    try:
        return int(command())
    except UserError as error:
        return complain(error)
    except KeyboardInterrupt:
        return 130


def _help(overrides: list[str]) -> int:
    from duograd.runner.help import show

    show(overrides)
    return 0


def _version() -> int:
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


def _hydra() -> int:
    """Hydra composes, then calls `train` once for each job; its exceptions come here instead of to the terminal."""
    import hydra
    from omegaconf import DictConfig

    from duograd.runner.errors import UserError
    from duograd.runner.explain import explain

    os.environ["HYDRA_FULL_ERROR"] = "1"
    worst = 0

    @hydra.main(version_base="1.3", config_path="pkg://duograd.conf", config_name="config")
    def train(tree: DictConfig) -> None:
        nonlocal worst
        from duograd.runner.job import run_job

        try:
            worst = max(worst, run_job(tree))
        except UserError as error:  # not through Hydra, which would add lines of its own
            worst = max(worst, complain(error))

    try:
        train()
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    except Exception as error:
        return complain(explain(error))
    return worst


def complain(error: Exception | str) -> int:
    """One line on standard error; the exit code of a user's fault."""
    print(f"duograd: {error}", file=sys.stderr)
    return 2
