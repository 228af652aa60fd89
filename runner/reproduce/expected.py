"""How long studies take, before they start."""

from collections.abc import Sequence

from duograd.runner.compose import Composer, initialised
from duograd.runner.errors import UserError
from duograd.runner.reproduce.study import Reproduction
from duograd.runner.reproduce.there import points_left
from duograd.runner.store.records import Origin
from duograd.runner.sweep.launcher import LauncherOptions
from duograd.runner.sweep.preview import expected, parameter_count, wall_seconds
from duograd.runner.sweep.worker import DataCache

SWEEP_SECONDS = 8.0  # of a sweep beyond its runs: a cluster that starts, an answer with its pictures


def seconds_left(made: Reproduction) -> dict[str, float]:
    """Of each study, by measuring its smallest and its largest network; 0 where every run is finished.

    Reads the data. Raises UserError for a study that cannot be made, before any of them is.
    """
    seconds, cache = {}, DataCache()
    with initialised(None):
        composer = Composer(Origin())
        for name in made.studies:
            try:
                seconds[name] = _seconds(_runs_left(name, made), composer, cache)
            except UserError as error:
                raise UserError(f"study {name}: {error}; --offline needs neither network nor files") from None
    return seconds


def _runs_left(name: str, made: Reproduction) -> list[list[str]]:
    study = made.studies[name]
    shared = study.shared(made.data[study.data], made.quick)
    return [[*shared, *point] for point in points_left(study, made.folder / name, made.seeds)]


def _seconds(runs: Sequence[Sequence[str]], composer: Composer, cache: DataCache) -> float:
    """Of a sweep of these runs on all cores."""
    if not runs:
        return 0.0
    launcher, configs = LauncherOptions(), dict(enumerate(map(composer.config, runs)))
    parameters = {number: parameter_count(config, cache) for number, config in configs.items()}
    return SWEEP_SECONDS + wall_seconds(expected(configs, parameters, cache, launcher), launcher)
