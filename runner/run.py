"""A run is a function of its validated configuration and its folder.

Everything that it leaves is in the folder when it returns, and no global state is left behind, so that one process can
do hundreds of runs.
"""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from duograd.data.dataset import DataSet
from duograd.data.errors import DataError
from duograd.data.formats.files import user_path
from duograd.models.errata.table import listed
from duograd.runner import build
from duograd.runner.config import MlflowTracking, RunConfig, dump
from duograd.runner.context import RunContext, alone
from duograd.runner.display import waiting
from duograd.runner.engines import Engine
from duograd.runner.errors import UserError
from duograd.runner.longer import identity_of
from duograd.runner.own_notes import own_notes
from duograd.runner.session import Session
from duograd.runner.store import code, files, identity
from duograd.runner.store.folders import RunFolder
from duograd.runner.tracking import address


def run(config: RunConfig, folder: RunFolder, overrides: Sequence[str], context: RunContext | None = None) -> int:
    """Trains from the beginning, in a folder that holds no run yet; the exit code. Raises UserError."""
    context = context or alone()
    with folder.locked():
        folder.refuse_if_used()
        config = anchored(config, context.project)
        data, engine = _built(config, context)
        parameters, given = build.parameter_count(engine), (context.name, context.swept, context.flags)
        notes = [*own_notes(config, data, overrides), *_mistakes(config)]
        who = identity.run_json(config, data, parameters, overrides, *given, notes)
        who |= {"threads": engine.threads} if engine.threads else {}
        who |= {"stack": context.stacked} if context.stacked > 1 else {}
        new = Session(config, folder, data, engine, who, context, resumed=False)  # refuses, with no file yet
        files.write_json(folder.identity, who)
        if changes := identity.uncommitted(who):
            files.write_text(folder.changes, changes)
        code.keep(config, folder.path)
        folder.write_config(dump(config), context.project)
        return new.go()


def resume(config: RunConfig, folder: RunFolder, context: RunContext | None = None) -> int:
    """Goes on with the run of a folder from its last checkpoint, to more epochs where the configuration says so.

    The exit code. Raises UserError.
    """
    context = context or alone()
    with folder.locked():
        who = folder.read_identity(*identity.NEEDED)
        folder.remove_temporaries()
        context = replace(context, threads=context.threads or who.get("threads"))
        config = anchored(config, context.project)
        moved = _where_else(config, folder)
        try:
            data, engine = _built(config, context)
        except UserError as error:
            raise UserError(f"{error}{moved}") from None
        if who["digest"] != data.digest:
            reason = f"the data is not what it was when the run began; put back {who['source']}"
            raise UserError(f"{folder.path}: {reason}{moved}")
        before = folder.read_config()
        longer = config.epochs != before["epochs"]
        if longer:
            who = identity_of(who, config)
            files.write_json(folder.identity, who)
        if longer or config.data.model_dump(by_alias=True) != before["data"]:
            folder.write_config(dump(config), context.project)
        return Session(config, folder, data, engine, who, context, resumed=True, longer=longer).go()


def _mistakes(config: RunConfig) -> list[str]:
    """What nobody is to overlook: that the gradient is wrong on purpose."""
    rows = config.mistakes
    return [f"the gradient is the report's, with {listed(rows)} of its errors (docs/errata.md)"] if rows else []


def _where_else(config: RunConfig, folder: RunFolder) -> str:
    """How to say where data that is not the project's own lies now."""
    key = next((key for key in ("root", "path") if getattr(config.data, key, None)), None)
    return f", or say where it lies now: duograd resume {shlex.quote(str(folder.path))} data.{key}=PATH" if key else ""


def anchored(config: RunConfig, here: Path) -> RunConfig:
    """The configuration with absolute paths, so that a run can be resumed and mirrored from any directory."""
    paths = {
        key: str((here / user_path(value)).resolve())
        for key in ("path", "root")
        if (value := getattr(config.data, key, None))
    }
    update: dict[str, Any] = {"data": config.data.model_copy(update=paths)}
    if isinstance(config.tracking, MlflowTracking):
        update["tracking"] = config.tracking.model_copy(update={"uri": address.resolve(config.tracking.uri, here)})
    return config.model_copy(update=update)


def _built(config: RunConfig, context: RunContext) -> tuple[DataSet, Engine]:
    with waiting(context.console, f"loading data={config.data.name}", still=True):
        try:
            data = context.load(config)
        except DataError as error:
            raise UserError(str(error)) from None
    with waiting(context.console, f"building {config.model.name} in {config.backend.name}"):  # torch: an import of 2 s
        return data, context.engine(context.threaded(config), data)
