"""duograd compare RUN... | SWEEP | EXPERIMENT: what differs, who did best, curves over each other, on one page."""

import argparse
from datetime import datetime
from pathlib import Path

from duograd.runner.errors import UserError, system_fault
from duograd.runner.store.folders import is_run_folder
from duograd.runner.subcommands import command_parser
from duograd.runner.tracking.address import OUTPUTS

DESCRIPTION = """\
Compare runs of one task: a ranked table of what differs and what came out, learning curves over each other, heat maps,
hidden features, reconstructions and confusion matrices, as pictures, Markdown and one self-contained HTML page.
"""


def main(arguments: list[str]) -> int:
    """Prints the report and writes it to a folder; 0. Raises UserError where there is nothing to compare."""
    options = _parser().parse_args(arguments)
    out = options.out or Path(OUTPUTS) / f"compare_{datetime.now():%Y-%m-%d_%H-%M-%S}"
    if is_run_folder(out) or (out.exists() and not out.is_dir()):
        raise UserError(f"--out {out} is {'a run' if out.is_dir() else 'a file'}: name another folder for the answer")

    from rich.console import Console

    from duograd.runner.report.links import mlflow_link
    from duograd.runner.report.report import write_report
    from duograd.runner.report.select import MLFLOW, select_runs

    ranking = {"metric": options.metric, "rises": options.rises, "ignored": options.ignore or []}
    if not options.names[0].startswith(MLFLOW) and ranking != {"metric": None, "rises": None, "ignored": []}:
        raise UserError("--metric, --higher, --lower and --ignore are for mlflow:EXPERIMENT: our runs say what leads")
    runs = select_runs(options.names, options.uri, options.interval, ranking)
    try:
        out.mkdir(parents=True, exist_ok=True)
        report = write_report(out, runs, mlflow_link(runs))
    except OSError as error:
        raise UserError(system_fault(error)) from None
    report.show(Console())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("compare", DESCRIPTION)
    parser.add_argument(
        "names",
        nargs="+",
        metavar="RUN | SWEEP | EXPERIMENT",
        help="run folders, a sweep's folder, a folder that holds runs, or the name of an MLflow experiment; "
        "mlflow:EXPERIMENT reads what anything else has logged there",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to (default: outputs/compare_TIME)")
    parser.add_argument("--uri", help="where an experiment is looked up (default: sqlite:///outputs/mlflow.db)")
    parser.add_argument("--interval", choices=("t", "bootstrap"), default="t", help="of means over seeds (default: t)")
    foreign = parser.add_argument_group("for mlflow:EXPERIMENT")
    foreign.add_argument("--metric", metavar="NAME", help="what to rank by (default: a validation accuracy or loss)")
    better = foreign.add_mutually_exclusive_group()
    words = "{} of it is better (default: as its name says)"
    better.add_argument("--higher", dest="rises", action="store_true", default=None, help=words.format("more"))
    better.add_argument("--lower", dest="rises", action="store_false", default=None, help=words.format("less"))
    foreign.add_argument(
        "--ignore", action="append", metavar="PARAMETER", help="one that is no setting, such as a name"
    )
    return parser
