"""duograd rerun RUN: do a run again from its folder, and say whether it comes to the same, to the bit."""

import argparse
import shlex
from dataclasses import replace
from pathlib import Path

from duograd.runner.errors import UserError
from duograd.runner.store.folders import RunFolder
from duograd.runner.subcommands import command_parser

SAME, ANOTHER = 0, 1  # exit codes


def main(arguments: list[str]) -> int:
    """Repeats the run in another folder: 0 where all is the same, 1 where not, 128 + a signal. Raises UserError."""
    given = _parser().parse_args(arguments)
    before, after = RunFolder(given.dir), RunFolder(given.out or _beside(given.dir))
    code = _again(before, after, given.trust)
    return code if code > 128 else _verdict(before, after)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("rerun", __doc__)
    parser.add_argument("dir", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to (default: RUN-rerun)")
    parser.add_argument("--trust", action="store_true", help="run the copy of own code that the folder keeps")
    return parser


def _beside(run: Path) -> Path:
    """RUN-rerun, or RUN-rerun2 where that is there already."""
    run = run.resolve()
    names = (f"{run.name}-rerun{number if number > 1 else ''}" for number in range(1, 1_000_000))
    return next(path for name in names if not (path := run.with_name(name)).exists())


def _again(before: RunFolder, after: RunFolder, trust: bool) -> int:
    """Trains in `after` what `before` says; the exit code. Raises UserError, also where the data is another."""
    from duograd.data.errors import DataError
    from duograd.runner.commands.resume import check
    from duograd.runner.context import alone
    from duograd.runner.run import run
    from duograd.runner.store import identity
    from duograd.runner.store.code import restore_run
    from duograd.runner.validate import validate_plain

    check(before)
    restore_run(before, trust, f"duograd rerun {shlex.quote(str(before.path))} --trust")
    who, config = before.read_identity(*identity.NEEDED), validate_plain(before.read_config())
    context = replace(alone(), name=who["name"], mirrored=False, drawn=False, threads=who.get("threads"))
    try:
        data = context.load(config)
    except DataError as error:
        raise UserError(str(error)) from None
    if data.digest != who["digest"]:
        raise UserError(f"{before.path}: the data is not what it was when the run began; put back {who['source']}")
    return run(config, after, who.get("overrides", []), replace(context, load=lambda _: data))


def _verdict(before: RunFolder, after: RunFolder) -> int:
    from duograd.runner.repeat import changes, difference

    found, others = difference(before, after), ", ".join(changes(before, after))
    epochs = len(before.history().get("epoch", []))
    extent = "as far as it came" if before.ending()[0] == "KILLED" else "and the weights"
    print(f"differs: {found}" if found else f"identical: {epochs} epochs, their metrics {extent}, to the last bit")
    if others:
        print(f"changed since: {others}")
    elif found:
        print(f"no version, commit or change of the checkout is another: {_reason(before)}")
    return ANOTHER if found else SAME


def _reason(before: RunFolder) -> str:
    """Why the last bits may be others all the same."""
    if size := before.read_identity().get("stack"):
        return f"it trained in a stack of {size}, whose products have other last bits than those of a run by itself"
    return "torch's last bits depend on threads and machine"
