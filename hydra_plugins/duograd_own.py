"""Hydra's door to users' files: `model=my_net.py` composes as if conf/model had a YAML of that name, and so do
`model=small`, where the user's small.yaml names `file: my_net.py`, and the name of what an installed package brings
without a YAML. Hydra imports this at each start: nothing heavy here."""

from pathlib import Path
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.errors import ConfigCompositionException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from duograd.runner.compose import repository_of
from duograd.runner.groups import CONF

SCHEME, FILE = "own", "file"
PARTS = ("model", "loss", "optimizer", "data")


class Shared(dict[str, Any]):
    """What was read, for all the copies that Hydra makes: a file that is edited meanwhile stays what it was."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "Shared":
        return self


class OwnPath(str):
    """The place of users' files on Hydra's search path, before all others; it holds on to that path."""

    search_path: ConfigSearchPath
    options: Shared


class OwnSearchPath(SearchPathPlugin):
    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        place = OwnPath(f"{SCHEME}://")
        place.search_path, place.options = search_path, Shared()
        search_path.prepend("duograd", place)


class OwnSource(ConfigSource):
    """An option for each file that is named."""

    def __init__(self, provider: str, path: OwnPath) -> None:
        super().__init__(provider, path)
        self._search_path, self._options = path.search_path, path.options

    @staticmethod
    def scheme() -> str:
        return SCHEME

    def load_config(self, config_path: str) -> ConfigResult:
        config = OmegaConf.create(self._option(config_path))
        return ConfigResult(self.provider, self.full_path(), config, header={"package": None})

    def is_config(self, config_path: str) -> bool:
        part, _, name = config_path.partition("/")
        return part in PARTS and not _ours(part, name) and self._option(config_path) is not None

    def is_group(self, config_path: str) -> bool:
        return False  # those of the others

    def available(self) -> bool:
        return True

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        return []

    def _option(self, config_path: str) -> Any:
        if config_path not in self._options:
            if (tree := self._compose(*config_path.split("/", 1))) is None:
                return None  # on this search path; it can become longer
            self._options[config_path] = tree
        return self._options[config_path]

    def _compose(self, part: str, name: str) -> dict[str, Any] | None:
        """The keys of a file, under those of the YAML that names it; None where neither is meant."""
        if ".py" in name and (tree := option_of(part, name, ())):
            return tree
        for source in repository_of(self._search_path).get_sources():
            if source.scheme() == FILE and source.is_config(f"{part}/{name}"):
                return self._variant(part, name, source)
        return installed(part, name)

    def _variant(self, part: str, name: str, source: ConfigSource) -> dict[str, Any] | None:
        yaml = source.load_config(f"{part}/{name}").config
        if not isinstance(yaml, DictConfig) or FILE not in yaml:
            return None
        places = (Path(source.path), Path(source.path) / part)
        tree = option_of(part, str(yaml[FILE]), places)
        if tree is None:
            raise ConfigCompositionException(f"{part}/{name}.yaml: file={yaml[FILE]}: expected a file of Python")
        return {**tree, "name": name, **{str(key): yaml._get_node(key) for key in yaml if key != FILE}}


def _ours(part: str, name: str) -> bool:
    """Whether conf/ has a YAML of that name."""
    return (CONF / part / f"{name}.yaml").is_file()


def option_of(part: str, text: str, places: tuple[Path, ...]) -> dict[str, Any] | None:
    """The keys of `my_net.py:Net`, which lies where the user stands or else in one of the places. Raises UserError."""
    from duograd.runner.own.option import option, reference

    meant = reference(text, places)
    return option(part, meant) if meant else None


def installed(part: str, name: str) -> dict[str, Any] | None:
    """The keys of what an installed package brings by an entry point of that name. Raises UserError."""
    group = {"model": "families", "loss": "losses", "optimizer": "optimizers", "data": "sources"}[part]
    if name not in installed_names(f"duograd.{group}"):
        return None
    from duograd.runner.own.keys import tree_of
    from duograd.runner.registry import GROUPS

    chosen = GROUPS[part].key.rpartition(".")[2]
    return {**tree_of(GROUPS[part].find(name).config), "name": name, chosen: name}


def installed_names(group: str) -> list[str]:
    """The entry points of a group."""
    from importlib.metadata import entry_points

    return [point.name for point in entry_points(group=group)]
