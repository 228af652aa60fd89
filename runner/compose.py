"""Composing configurations without starting a job. All that duograd takes of Hydra's inside stands in here."""

import copy
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from omegaconf import DictConfig, OmegaConf, open_dict

from duograd.runner.arguments import readable
from duograd.runner.errors import UserError
from duograd.runner.explain import explain
from duograd.runner.groups import groups
from duograd.runner.origin import COMMAND_LINE, ROOT
from duograd.runner.store.overrides import dotted, parse_all

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

    from duograd.runner.choice import Choice
    from duograd.runner.config import RunConfig
    from duograd.runner.store.records import Origin
    from duograd.runner.tasks import Options

TRIED_WITH = "1.3.8"  # hydra-core, of which this file uses what has no public name
ONE_AT_A_TIME = threading.RLock()  # Hydra's state is the process's


@contextmanager
def initialised(config_dir: str | None = None) -> Iterator[None]:
    """Hydra finds duograd's configuration inside the block, and what lies in a folder beside it. Raises UserError."""
    from hydra import initialize_config_module
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.core.global_hydra import GlobalHydra

    if config_dir is not None and not Path(config_dir).is_dir():
        raise UserError(f"{config_dir}, named by --config-dir, is gone: put it back, jobs are composed from it")
    with _apart(), initialize_config_module(config_module="duograd.conf", version_base="1.3"):
        if config_dir is not None:
            hydra = cast(Any, GlobalHydra.instance().hydra)
            path = hydra.config_loader.get_search_path()
            path.prepend(COMMAND_LINE, f"file://{config_dir}", anchor="schema")
            hydra.config_loader = ConfigLoaderImpl(path)
        yield


@contextmanager
def _apart() -> Iterator[None]:
    """A Hydra of our own inside the block; after it that of the caller, who may be inside of a Hydra application."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.core.singleton import Singleton
    from hydra.core.utils import JobRuntime
    from hydra.version import VersionBase

    instances = cast(dict[type, Any], Singleton._instances)
    ours = (GlobalHydra, HydraConfig, JobRuntime, VersionBase)
    with ONE_AT_A_TIME:
        before = {kind: instances.pop(kind, None) for kind in ours}
        try:
            yield
        finally:
            for kind, instance in before.items():
                instances.pop(kind, None)
                if instance is not None:
                    instances[kind] = instance


def compose(overrides: Sequence[str]) -> "RunConfig":
    """The checked configuration that `duograd OVERRIDES` would run. Raises UserError."""
    from duograd.runner.validate import plain

    with initialised():
        options = options_of()
        return checked(plain(_compose_tree(overrides, options)), options)


def checked(content: Mapping[str, Any], options: "Options") -> "RunConfig":
    """The configuration of a composed tree, resolved: its parts fit its task and each other. Raises UserError."""
    from duograd.runner.choice import refuse_strangers
    from duograd.runner.validate import validate_plain

    refuse_strangers(options, content)
    return validate_plain(content)


def compose_tree(overrides: Sequence[str], config_dir: str | None = None) -> DictConfig:
    """The tree that Hydra composes, unchecked. Raises UserError."""
    with initialised(config_dir):
        return _compose_tree(overrides, options_of())


def _compose_tree(overrides: Sequence[str], options: "Options") -> DictConfig:
    """The same inside an initialised Hydra."""
    from hydra import compose as hydra_compose

    try:
        typed = [readable(override) for override in overrides]
        choice = choose(typed, options)
        return hydra_compose(config_name=ROOT, overrides=[*(choice.overrides if choice else ()), *typed])
    except Exception as error:
        raise explain(error, overrides) from None


def options_of(origin: "Origin | None" = None) -> "Options":
    """The options of all groups where an origin has its configuration. Lives inside an initialised Hydra."""
    from duograd.runner.tasks import Options

    return Options(partial(_repository, origin), origin.config_name if origin else ROOT)


def _repository(origin: "Origin | None") -> Any:
    from hydra.core.global_hydra import GlobalHydra

    loader = cast(Any, GlobalHydra.instance().config_loader())  # its interface knows less than it has
    name, overrides = (origin.config_name, list(origin.hydra)) if origin else (ROOT, [])
    return loader._parse_overrides_and_create_caching_repo(name, overrides)[1]


def chosen(overrides: Sequence[str], origin: "Origin | None" = None) -> "Choice | None":
    """The task that typed choices lead to, where they name none and it is not the default. Raises UserError."""
    folder = origin.config_dir if origin else None
    with initialised(folder if folder and Path(folder).is_dir() else None):
        return choose(overrides, options_of(origin))


def choose(overrides: Sequence[str], options: "Options") -> "Choice | None":
    """`chosen` inside an initialised Hydra, which says by itself what is no configuration."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    from duograd.runner.choice import choices, chosen_task

    try:
        return chosen_task(options, choices(overrides), options.default_task())
    except (HydraException, OmegaConfBaseException, YAMLError, OSError, UnicodeDecodeError, RecursionError):
        return None


def offered(overrides: Sequence[str], config_dir: str | None = None) -> dict[str, list[str]]:
    """The options of each group that go with what was typed. Raises UserError."""
    from duograd.runner.choice import choices, fitting

    try:
        with initialised(config_dir):
            return fitting(options_of(), choices(overrides), groups(*[Path(config_dir)] if config_dir else ()))
    except Exception as error:
        raise explain(error, overrides) from None


def repository_of(search_path: Any) -> Any:
    """The configurations that lie on one of Hydra's search paths."""
    from hydra._internal.config_repository import ConfigRepository

    return ConfigRepository(search_path)


class Composer:
    """Composes many jobs: Hydra once for each choice of groups (0.1 s), then values are set in a copy (3 ms).

    Lives inside an initialised Hydra.
    """

    def __init__(self, origin: "Origin") -> None:
        from hydra.core.global_hydra import GlobalHydra

        self._loader = cast(Any, GlobalHydra.instance().config_loader())  # its interface knows less than it has
        self.origin = origin
        self._trees: dict[tuple[str, ...], DictConfig] = {}
        repository = _repository(origin)
        self._group_exists = cache(repository.group_exists)
        self._options = options_of(origin)

    def config(self, overrides: Sequence[str]) -> "RunConfig":
        """The configuration that `duograd OVERRIDES` would run. Raises UserError."""
        from duograd.runner.validate import plain

        try:
            return checked(plain(self._tree(overrides)), self._options)
        except Exception as error:
            raise explain(error, overrides) from None

    def has(self, overrides: Sequence[str], key: str) -> bool:
        """Whether what these choose of groups has a key. Of what cannot be composed, every key: it is refused later."""
        try:
            node: Any = self._chosen(overrides)
        except Exception:
            return True
        for part in key.split("."):
            if not isinstance(node, DictConfig) or part not in node._content:  # type: ignore[operator]
                return False
            node = node._get_node(part)
        return True

    def _chosen(self, overrides: Sequence[str]) -> DictConfig:
        """What Hydra composes of the groups that are chosen."""
        groups = tuple(str(override.input_line) for override in parse_all(overrides) if self._chooses(override))
        if groups not in self._trees:
            self._trees[groups] = without_hydra(self._load(groups))
        return self._trees[groups]

    def _tree(self, overrides: Sequence[str]) -> DictConfig:
        """What Hydra composes: the defaults list depends on chosen groups alone, and values are set in it last."""
        values = [override for override in parse_all(overrides) if not self._chooses(override)]
        tree = copy.deepcopy(self._chosen(overrides))
        self._loader._apply_overrides_to_config(values, tree)
        if "${hydra" in str(OmegaConf.to_container(tree)):
            return self._seen_by_hydra(overrides)
        return tree

    def _seen_by_hydra(self, overrides: Sequence[str]) -> DictConfig:
        """The same, where ${hydra:…} may stand in it: a number the job has none."""
        from hydra.core.hydra_config import HydraConfig

        tree = self._load(overrides)
        _refuse_a_number(tree)
        HydraConfig.instance().set_config(tree)
        return without_hydra(tree)

    def _chooses(self, override: "Override") -> bool:
        """Whether an override picks the option of a group, by Hydra's own rule."""
        return bool(self._group_exists(override.key_or_group)) and not isinstance(override.value(), dict)

    def _load(self, overrides: Sequence[str]) -> DictConfig:
        from hydra.types import RunMode

        name = self.origin.config_name
        tree: DictConfig = self._loader.load_configuration(name, [*self.origin.hydra, *overrides], RunMode.RUN)
        return tree


def _refuse_a_number(tree: DictConfig) -> None:
    content = OmegaConf.to_container(without_hydra(copy.copy(tree)))
    for key, value in dotted(cast(dict[str, Any], content)):
        if re.search(r"\$\{hydra[:.]job\.(num|id)\b", str(value)):
            raise UserError(
                f"{key}={value}: a job of a sweep is known by what it trains, not by a number; "
                "write the values, such as seed=range(4)"
            )


def without_hydra(tree: DictConfig) -> DictConfig:
    """The tree as a task sees it."""
    with open_dict(tree):
        del tree["hydra"]
    return tree
