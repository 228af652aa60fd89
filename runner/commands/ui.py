"""`duograd ui`: MLflow's pages for the runs of this directory, with links that open the right ones."""

import argparse
import signal
import sys
from pathlib import Path

from duograd.runner.errors import UserError
from duograd.runner.signals import handled_by
from duograd.runner.subcommands import command_parser
from duograd.runner.tracking import TrackingError, address
from duograd.runner.tracking.links import pages
from duograd.runner.tracking.rehome import rehome
from duograd.runner.tracking.server import ANY_HOST, allowed_hosts, serving


def main(argv: list[str]) -> int:
    """Serve until Ctrl-C (exit code 0); 1 if MLflow's server fails. Raises UserError: no database, port taken."""
    options = _parser().parse_args(argv)
    database = _database(options.uri)
    try:
        # as Ctrl-C does; a closed terminal ends the server too
        with handled_by(signal.default_int_handler, signal.SIGTERM, signal.SIGHUP):
            return _serve(database, options)
    except KeyboardInterrupt:
        return 0
    except TrackingError as error:
        print(f"tracking: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("ui", "Look at all runs in MLflow.")
    parser.add_argument("--port", type=int, default=address.USUAL_PORT, help="where it listens (default: 5000)")
    parser.add_argument("--host", default="127.0.0.1", help="who may look (default: 127.0.0.1, this machine only)")
    parser.add_argument(
        "--allowed-hosts", default="", metavar="NAME,…", help="names of this machine that browsers elsewhere may use"
    )
    parser.add_argument("--uri", help="the database (default: sqlite:///outputs/mlflow.db)")
    return parser


def _database(uri: str | None) -> Path:
    """The database to serve. UserError if there is none."""
    path = address.database_path(address.resolve(uri, Path.cwd()))
    if path is None:
        raise UserError(f"{uri} is a server already: open it in a browser")
    if not path.exists():
        raise UserError(f"no tracking database {path}: train something first (duograd task=autoencoder), or give --uri")
    return path


def refuse_older(database: Path) -> None:
    """Raises UserError for a database of another MLflow's, which is not ours to migrate: how a person does it."""
    from duograd.runner.tracking.database import prepare

    try:
        prepare(database)
    except TrackingError as error:
        raise UserError(str(error)) from None


def _serve(database: Path, options: argparse.Namespace) -> int:
    refuse_older(database)
    rehome(database)
    print(f"starting MLflow over {database} …", flush=True)
    names = [name for name in options.allowed_hosts.split(",") if name]
    if options.host in ANY_HOST:
        known = ", ".join(allowed_hosts(options.host, options.port, names)[::2])
        print(f"open to all who reach this machine as {known}; more by --allowed-hosts NAME", flush=True)
    with serving(database, options.host, options.port, names) as (url, process):
        for what, page in pages(url):
            print(f"{what}: {page}", flush=True)
        print(f"{url}  (Ctrl-C ends it)", flush=True)
        code = process.wait()
    print(f"tracking: MLflow's server ended by itself (code {code})", file=sys.stderr)
    return 1
