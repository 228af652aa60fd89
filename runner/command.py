"""What a command would do that is given as overrides: a run, checked, or a sweep, whose jobs are composed later."""

import copy
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from duograd.runner.arguments import readable
from duograd.runner.compose import checked, choose, initialised, options_of, without_hydra
from duograd.runner.errors import UserError
from duograd.runner.explain import explain
from duograd.runner.origin import ROOT, origin_flags, origin_of, override_texts

if TYPE_CHECKING:
    from duograd.runner.choice import Choice
    from duograd.runner.config import RunConfig
    from duograd.runner.tasks import Options


@dataclass(frozen=True)
class Composed:
    """What `duograd OVERRIDES` would do. folder: of the run, or of the sweep; choice: the task, where none was named.

    config: of the run, checked; None of a sweep, whose jobs are composed one by one. sweep: its options, unchecked.
    flags: what is typed before the overrides.
    """

    folder: Path
    overrides: list[str]
    flags: list[str]
    choice: "Choice | None" = None
    config: "RunConfig | None" = None
    sweep: Mapping[str, Any] = field(default_factory=dict)


def compose_command(
    overrides: Sequence[str], config_dir: str | os.PathLike[str] | None = None, sweep: bool = False
) -> Composed:
    """The run, or the sweep, of `duograd [-m] OVERRIDES`. Raises UserError."""
    from duograd.runner.store.records import Origin

    beside = None if config_dir is None else str(Path(config_dir).absolute())
    typed = [readable(override) for override in overrides]
    try:
        with initialised(beside):
            searched = [text for text in typed if text.startswith("hydra.searchpath=")]
            options = options_of(Origin(ROOT, beside, searched))
            choice = choose(typed, options)
            return _composed([*(choice.overrides if choice else ()), *typed], options, choice, sweep)
    except Exception as error:
        raise explain(error, overrides) from None


def _composed(overrides: list[str], options: "Options", choice: "Choice | None", sweep: bool) -> Composed:
    """The same inside an initialised Hydra."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from duograd.runner.validate import SWEEP, plain

    loader = cast(Any, GlobalHydra.instance().config_loader())
    tree = loader.load_configuration(ROOT, overrides, RunMode.MULTIRUN if sweep else RunMode.RUN)
    HydraConfig.instance().set_config(tree)
    hydra = tree.hydra
    origin, typed = origin_of(hydra), override_texts(hydra.overrides.task)
    if sweep:
        return Composed(Path(hydra.sweep.dir).absolute(), typed, origin_flags(origin), choice)
    if hydra.mode == RunMode.MULTIRUN:
        raise UserError(f"{' '.join(overrides)} asks for a sweep: use duograd.sweep")
    content = plain(without_hydra(copy.copy(tree)))
    config = checked(content, options)
    folder = Path(hydra.run.dir).absolute()
    return Composed(folder, typed, origin_flags(origin), choice, config, content.get(SWEEP, {}))
