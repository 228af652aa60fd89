"""From Hydra's sweeper to a search, and `duograd resume` of one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from duograd.runner.errors import UserError
from duograd.runner.search.options import SearchOptions, search_options
from duograd.runner.search.search import Wanted, go, wanted
from duograd.runner.search.space import Space, space
from duograd.runner.store.overrides import key_of
from duograd.runner.store.records import SearchRecord, SweepRecord
from duograd.runner.sweep.composer import Composer
from duograd.runner.sweep.launch import command
from duograd.runner.sweep.options import SweepOptions, options
from duograd.runner.sweep.sweep import Request

SWEEPER = "hydra/sweeper=optuna"
DASK = "hydra_plugins.duograd_dask.DaskLauncher"
OF_A_GRID = ("estimate", "random", "seed")  # sweep.*: what a search has no use for


def launch(config: DictConfig, arguments: Sequence[str], sweeper: Mapping[str, Any]) -> None:
    """Runs the search that was typed; SystemExit where not all went well. Raises UserError.

    config: what Hydra composed without the swept values; sweeper: `hydra.sweeper.*`.
    """
    asked, launching = options(_plain(config.sweep), _launcher(config))
    _refuse_what_is_a_grids(asked)
    found = search_options({key: value for key, value in sweeper.items() if key != "params"})
    presets = [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()]
    here, composer = Path.cwd(), Composer([SWEEPER])
    looked = wanted(composer, _space([*presets, *arguments]), found, here)
    if asked.dry_run:
        _preview(looked)
        return
    request = Request(
        folder=here / str(config.hydra.sweep.dir),
        jobs=looked.probes,
        fixed=list(looked.space.fixed),
        options=asked,
        launcher=launching,
        directory=here,
        command=command(config),
    )
    if code := go(request, looked, composer):
        raise SystemExit(code)


def resume_search(folder: Path, changes: dict[str, Any]) -> int:
    """Goes on with a search, on another cluster where `changes` of `hydra.launcher` say so; its exit code.

    Raises UserError, also where the configuration has become another since.
    """
    from hydra import initialize_config_module

    record, search = SweepRecord.load(folder), SearchRecord.load(folder)
    _, launching = options({}, record.launcher | changes)
    directory = Path(record.directory)
    with initialize_config_module(config_module="duograd.conf", version_base="1.3"):
        composer = Composer([SWEEPER])
        looked = wanted(composer, _space([*search.fixed, *search.typed]), search_options(search.options), directory)
        request = Request(
            folder=folder.resolve(),
            jobs=looked.probes,
            fixed=search.fixed,
            options=SweepOptions(resume=True),
            launcher=launching,
            directory=directory,
            command=record.command,
        )
        return go(request, looked, composer)


def _space(arguments: Sequence[str]) -> Space:
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    own = [argument for argument in arguments if not key_of(argument).startswith("sweep.")]
    return space(parser.parse_overrides(own))


def _launcher(config: DictConfig) -> dict[str, Any]:
    given = _plain(config.hydra.launcher)
    if given.pop("_target_") != DASK:
        raise UserError(f"{SWEEPER} needs hydra/launcher=dask: it asks for trials as workers become free")
    return given


def _refuse_what_is_a_grids(asked: SweepOptions) -> None:
    for key in OF_A_GRID:
        value = getattr(asked, key)
        if value != SweepOptions.model_fields[key].default:
            raise UserError(
                f"sweep.{key}={str(value).lower()} is for a grid: a search has hydra.sweeper.n_trials, "
                "hydra.sweeper.timeout and hydra.sweeper.seed"
            )


def _preview(looked: Wanted) -> None:
    """What would be searched."""
    console, chosen = Console(), looked.options
    lines = [*looked.space.typed, f"{_counted(chosen)} of {looked.epochs} epochs at the most; none was started"]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def _counted(chosen: SearchOptions) -> str:
    pruned = "" if chosen.pruner == "none" else f", pruned by {chosen.pruner}"
    return f"{chosen.n_trials} trials by {chosen.sampler}{pruned},"


def _plain(node: DictConfig) -> dict[str, Any]:
    content = OmegaConf.to_container(node, resolve=True)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}
