"""duograd reproduce [STUDY...]: the report's figures and tables again, beside what it published, on one page."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from duograd.runner.errors import UserError
from duograd.runner.subcommands import command_parser

if TYPE_CHECKING:
    from duograd.runner.reproduce.study import Reproduction

DESCRIPTION = """\
Make the report's figures and tables again: one sweep for each, begun or gone on with, then one page that sets what was
published beside what came out. Without the course's files the named substitutes are trained on, and the page says so.
"""
SIDE_BY_SIDE = 2  # sweeps of the quick form: each is mostly a start and an end, on one core


def main(arguments: list[str]) -> int:
    """Runs what is missing and writes the page: 0 where every run is finished, 1 where not. Raises UserError."""
    given = _parser().parse_args(arguments)
    from duograd.runner.reproduce.given import refuse_unreadable  # after --help
    from duograd.runner.reproduce.page import write_page
    from duograd.runner.reproduce.study import Reproduction, studies
    from duograd.runner.reproduce.sweeps import Commands, commands_of
    from duograd.runner.reproduce.there import with_finished

    sweeps, data = given.dir or Path("outputs/reproduce_quick" if given.quick else "outputs/reproduce"), _data(given)
    made = Reproduction(studies(given.studies), sweeps, data, given.seeds, given.quick)
    page = given.out or sweeps / "page"
    _refuse_files(sweeps, page)
    every = with_finished(sweeps, made.studies)  # those of before stay on the page
    refuse_unreadable({"--patches": given.patches, "--activity": given.activity, "--images": given.images})
    seconds = _seconds(made) if given.estimate or not (given.quick or given.page_only) else {}
    at_once = min(SIDE_BY_SIDE, len(made.studies)) if given.quick else 1
    commands = commands_of(made, seconds, ["hydra.launcher.n_workers=1"] if at_once > 1 else [])
    if given.estimate or given.page_only:
        print(*(command.heading for command in commands), sep="\n")
    if given.estimate:
        return 0
    running = Commands(at_once)
    codes = [0] * len(commands) if given.page_only else list(running.codes(commands))
    if running.interrupted:
        return running.interrupted
    for name in every if given.page_only else every.keys() - made.studies.keys():
        _draw_anew(sweeps / name)
    written = write_page(replace(made, studies=every, data=_data(given, named=True)), page)
    if others := [name for name in every if name not in made.studies]:
        print(f"on the page as well, from the runs in {sweeps}: {', '.join(others)}")
    failed = [name for name, code in zip(made.studies, codes, strict=True) if code]
    print(f"the page: {written}" + (f"; not all runs are finished: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("reproduce", DESCRIPTION)
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="names from conf/study; all of them without any")
    parser.add_argument("--quick", action="store_true", help="small offline data and a few epochs, for a first look")
    parser.add_argument("--seeds", type=_count, default=1, metavar="N", help="of each run, from the report's on")
    parser.add_argument("--patches", type=Path, metavar="FILE", help="the course's assign3_data1.h5, or one like it")
    parser.add_argument("--activity", type=Path, metavar="FILE", help="the course's assign3_data3.h5, or one like it")
    parser.add_argument("--images", type=Path, metavar="DIR", help="CIFAR-10 as a folder or archive of images")
    parser.add_argument("--offline", action="store_true", help="download nothing: simulate where no file is named")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the sweeps go (default: outputs/reproduce)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the page goes (default: page in that folder)")
    parser.add_argument("--estimate", action="store_true", help="only say how long each sweep would take")
    parser.add_argument("--page-only", action="store_true", help="run nothing: write the page of what is there")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text}: expected a number of seeds from 1 to 100")
    return int(text)


def _data(given: argparse.Namespace, named: bool = False) -> Mapping[str, Sequence[str]]:
    """The overrides that name the data of each kind: the files given, else the substitutes. Raises UserError.

    named: by their names alone, as a page has them; its reader keeps them elsewhere.
    """
    for path in filter(None, (given.patches, given.activity, given.images)):
        if not path.exists():
            raise UserError(f"no file {path}: name the one that you have, or leave it out for a substitute")
    offline = given.offline or given.quick
    return {
        "patches": _of("patches_h5", "path", given.patches, named) or ["data=photos_sample"],
        "activity": _of("activity_h5", "path", given.activity, named)
        or ["data=gait" if offline else "data=motionsense"],
        "images": _of("image_folder", "root", given.images, named, "data.validation_fraction=0.02")  # the report's 1000
        or ["data=shapes" if offline else "data=cifar10"],
    }


def _of(source: str, key: str, path: Path | None, named: bool, *more: str) -> list[str]:
    from duograd.data.pasting import hydra_text

    if path is None:
        return []
    return [f"data={source}", f"data.{key}={hydra_text(path.name if named else str(path.absolute()))}", *more]


def _refuse_files(*folders: Path) -> None:
    """Raises UserError where something else stands in a folder's place, before hours have passed."""
    for folder in folders:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not there.is_dir():
            raise UserError(f"{there} is a file: name a folder with --dir and --out")


def _seconds(made: "Reproduction") -> Mapping[str, float]:
    """Of each study; said in one line as well, of all."""
    from duograd.runner.display import counted, duration
    from duograd.runner.reproduce.expected import seconds_left

    print("reading the data and measuring the networks, for how long it will take", flush=True)
    seconds = seconds_left(made)
    to_make = sum(map(bool, seconds.values()))
    about = f": about {duration(sum(seconds.values()))} on this machine" if to_make else ""
    print(f"{counted(to_make, 'sweep')} to make{about}", flush=True)
    return seconds


def _draw_anew(sweep: Path) -> None:
    """The pictures of a sweep that may have been drawn long ago, by another version."""
    from duograd.runner.report.report import report_sweep
    from duograd.runner.store.folders import SWEEP

    if (sweep / SWEEP).exists():
        report_sweep(sweep)
