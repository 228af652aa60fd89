"""From what was typed to a sweep: Hydra's launcher, Hydra's sweeper for searches, and `duograd resume SWEEP`."""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import chdir, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from duograd.runner.compose import Composer, initialised
from duograd.runner.errors import UserError
from duograd.runner.longer import EPOCHS, with_overrides, with_values
from duograd.runner.origin import origin_flags, origin_of, override_texts
from duograd.runner.own.modules import standing_in
from duograd.runner.store import code
from duograd.runner.store.folders import SEARCH, SweepFolder
from duograd.runner.store.moving import relative_overrides
from duograd.runner.store.overrides import key_of, parse_all
from duograd.runner.store.records import Origin, SearchRecord, SweepRecord
from duograd.runner.sweep.applicable import applicable
from duograd.runner.sweep.grid import run_grid
from duograd.runner.sweep.launcher import elsewhere, refuse_unasked
from duograd.runner.sweep.longer import new_hashes
from duograd.runner.sweep.naming import differing
from duograd.runner.sweep.options import Request, SweepOptions, refuse_for_a_search, search_options, sweep_options
from duograd.runner.sweep.plan import SEED, draw, plan, repeat
from duograd.runner.sweep.space import Space, space
from duograd.runner.validate import plain

OPTUNA = "hydra/sweeper=optuna"
DASK = "hydra_plugins.duograd_dask.DaskLauncher"
NUMBERED = "${hydra.job.num}"  # hydra.sweep.subdir, where nobody set it
OF_THE_SWEEP = "sweep."  # overrides that are no job's


def launch_grid(config: DictConfig, grid: Sequence[Sequence[str]], launcher: Mapping[str, Any]) -> int:
    """Runs the grid that Hydra's sweeper made; its exit code. Raises UserError.

    config: what Hydra composed without the swept values; launcher: `hydra.launcher.*`.
    """
    request = _request(config, launcher)
    options = request.options
    jobs = [[override for override in job if not key_of(override).startswith(OF_THE_SWEEP)] for job in grid]
    swept = differing(jobs)
    chosen = jobs if options.random is None else draw(jobs, options.random, options.seed)
    if options.seeds is not None:
        if SEED in swept:
            raise UserError(f"sweep.seeds={options.seeds} and several values of seed: give one of them")
        first = int(config.seed)
        chosen, swept = repeat(chosen, range(first, first + options.seeds)), [*swept, SEED]
    composer = Composer(request.origin)
    chosen, notes = applicable(composer, chosen, swept)
    swept = list(dict.fromkeys([*swept, *differing(chosen)]))
    fixed = [override for override in jobs[0] if key_of(override) not in swept]
    planned = plan(composer, chosen, swept, request.directory)
    for note in notes:
        Console().print(note, highlight=False, soft_wrap=True, markup=False)
    return run_grid(request, planned, fixed)


def launch_search(config: DictConfig, arguments: Sequence[str], sweeper: Mapping[str, Any]) -> int:
    """Runs the search that was typed; its exit code. Raises UserError.

    config: what Hydra composed without the swept values; sweeper: `hydra.sweeper.*`.
    """
    launcher = plain(config.hydra.launcher)
    if launcher.pop("_target_") != DASK:
        raise UserError(f"{OPTUNA} needs hydra/launcher=dask: it asks for trials as workers become free")
    request = _request(config, launcher)
    refuse_for_a_search(request.options, request.launcher)
    options = {key: value for key, value in sweeper.items() if key != "params"}
    presets = [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()]
    return _search(request, relative_overrides([*presets, *arguments], request.directory), options)


def resume_sweep(folder: Path, changes: dict[str, Any], trust: bool = False, epochs: int | None = None) -> int:
    """Goes on with a sweep, on another cluster where `changes` of `hydra.launcher` say so; its exit code.

    trust: the copies of users' code that the folder keeps, whatever the files say now. epochs: that all jobs are to
    train to. Raises UserError, also where a job's configuration has become another since.
    """
    record = SweepRecord.load(folder)
    search = SearchRecord.load(folder) if (folder / SEARCH).exists() else None
    _, launcher = sweep_options({}, elsewhere(record.launcher, changes))
    if not trust:
        refuse_unasked(folder, launcher, changes)
    origin = record.origin
    if search and not origin.hydra:  # of a time when it was not written down
        origin = replace(origin, hydra=[OPTUNA])
    request = Request(
        folder=folder.resolve(),
        origin=origin,
        options=SweepOptions(resume=True),
        launcher=launcher,
        directory=Path(record.directory),
        command=record.command,
    )
    copies = code.restore(request.folder, trust, f"duograd resume {shlex.quote(str(folder))} --trust")
    there = chdir(request.directory) if request.directory.is_dir() else nullcontext()
    with there, standing_in(copies, trust), initialised(origin.config_dir):  # hydra.searchpath is meant from there too
        if search and epochs is not None:
            raise UserError(
                f"{folder} is a search, whose trials were judged after the epochs that they had: train its best one "
                f"longer, duograd resume {folder}/NAME epochs={epochs}, or start anew"
            )
        if search:
            return _search(request, [*search.fixed, *search.typed], search.options)
        return _resume_grid(request, record, epochs)


def _resume_grid(request: Request, record: SweepRecord, epochs: int | None) -> int:
    composer, folder = Composer(request.origin), request.folder
    grid = [[*record.overrides, *job.overrides] for job in record.jobs]
    swept = {key_of(override) for job in record.jobs for override in job.overrides}
    jobs = plan(composer, grid, swept, request.directory)
    if epochs is None:
        return run_grid(request, jobs, record.overrides)
    asked = [f"{EPOCHS}={epochs}"]
    longer = plan(composer, [with_values(point, asked) for point in grid], swept, request.directory)
    request = replace(request, command=with_overrides(record.command, asked))
    return run_grid(request, longer, with_values(record.overrides, asked), new_hashes(record, jobs, longer, folder))


def _search(request: Request, arguments: Sequence[str], options: Mapping[str, Any]) -> int:
    from duograd.runner.sweep.search import plan_search, run_search  # Optuna, which no grid has to wait for

    composer = Composer(request.origin)
    search = plan_search(composer, _space(arguments), search_options(options), request.directory)
    return run_search(request, search, composer)


def _space(arguments: Sequence[str]) -> Space:
    return space(parse_all([a for a in arguments if not key_of(a).startswith(OF_THE_SWEEP)]))


def _request(config: DictConfig, launcher: Mapping[str, Any]) -> Request:
    options, workers = sweep_options(plain(config.sweep), plain(OmegaConf.create(dict(launcher))))
    typed = cast(dict[str, Any], OmegaConf.to_container(config.hydra.sweep))
    if (subdir := typed["subdir"]) != NUMBERED:
        raise UserError(
            f"hydra.sweep.subdir={subdir}: the folder of a job is named by what differs, such as hidden_size=50; "
            "leave it out, or choose hydra/launcher=basic"
        )
    if names := ", ".join(config.hydra.job.env_set):
        raise UserError(
            f"hydra.job.env_set and env_copy ({names}) reach no worker, which has the environment it was started with: "
            "set it before duograd, or choose hydra/launcher=basic"
        )
    here, origin = Path.cwd(), origin_of(config.hydra)
    folder = here / str(config.hydra.sweep.dir)
    if options.resume == "auto":
        options = options.model_copy(update={"resume": SweepFolder(folder).record.exists()})
    return Request(folder, origin, options, workers, here, command(config, origin))


def command(config: DictConfig, origin: Origin) -> str:
    """What was typed, as far as Hydra's composed configuration says; without the folder, which the next has not."""
    flags = origin_flags(origin)
    hydra = [text for text in origin.hydra if text not in flags and not text.startswith("hydra.sweep.dir=")]
    return shlex.join(["duograd", "-m", *flags, *override_texts(config.hydra.overrides.task), *hydra])
