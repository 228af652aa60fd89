"""Hydra's door to the tables of rates: it composes `rates/<task>/<model>/<optimizer>` like a file of that name, and
finds it in a cell of conf/rates/<task>.yaml. Hydra imports this at each start: nothing heavy here."""

from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.default_element import ConfigDefault
from hydra.core.object_type import ObjectType
from hydra.errors import ConfigCompositionException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf

from duograd.runner.compose import repository_of

GROUP, ALL = "rates", "all"


class RatesPath(str):
    """The tables' place on Hydra's search path. It holds on to that path through the copies that Hydra makes of it:
    tables and models of --config-dir and hydra.searchpath count as ours do."""

    search_path: ConfigSearchPath


class RatesSearchPath(SearchPathPlugin):
    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        place = RatesPath(f"{RatesSource.scheme()}://")
        place.search_path = search_path
        search_path.append("duograd", place)


class RatesSource(ConfigSource):
    """The cells of all tables. One that is not there is a configuration that is not there."""

    def __init__(self, provider: str, path: RatesPath) -> None:
        super().__init__(provider, path)
        self._search_path = path.search_path
        self._cells: dict[str, DictConfig | None] = {}

    @staticmethod
    def scheme() -> str:
        return GROUP

    def load_config(self, config_path: str) -> ConfigResult:
        return ConfigResult(self.provider, self.full_path(), self._cell(config_path), header={"package": "_global_"})

    def is_config(self, config_path: str) -> bool:
        return self._cell(config_path) is not None

    def is_group(self, config_path: str) -> bool:
        return False  # task, model and optimizer choose a cell, not a person

    def available(self) -> bool:
        return True

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        return []

    def _cell(self, config_path: str) -> Any:
        if config_path not in self._cells:
            self._cells[config_path] = self._find(config_path)
        return self._cells[config_path]

    def _find(self, config_path: str) -> DictConfig | None:
        group, *names = config_path.split("/")
        if group != GROUP or len(names) < 3:
            return None
        task, *rest = names
        repository = repository_of(self._search_path)
        table = _table(repository, f"{GROUP}/{task}")
        for cut in reversed(range(1, len(rest))):  # the path of a user's file has slashes too
            if row := _row(repository, table, "/".join(rest[:cut])):
                return _settings(row, "/".join(rest[cut:]), f"{GROUP}/{task}.yaml")
        return None


def _table(repository: Any, name: str) -> Any:
    """All tables of a task: those that a user adds to the search path win over ours. A task of theirs may have none."""
    tables = [source.load_config(name).config for source in repository.get_sources() if source.is_config(name)]
    if odd := [table for table in tables if not isinstance(table, DictConfig)]:
        raise ConfigCompositionException(f"{name}.yaml: expected rows such as 'lstm: {{sgd: 0.1}}', got {odd[0]!r}")
    return OmegaConf.merge({}, *tables)


def _row(repository: Any, table: Any, model: str) -> Any:
    """The row of the model, else that of the model which its YAML starts from, or which the user's file declares."""
    if model in table:
        return table[model]
    found = repository.load_config(f"model/{model}")
    if found and "hash" in found.config:
        return _declared(str(found.config.hash))
    parents = [d.path for d in (found and found.defaults_list) or () if isinstance(d, ConfigDefault)]
    rows = (_row(repository, table, str(parent)) for parent in reversed(parents) if parent != "_self_")
    return next(filter(None, rows), None)


def _declared(digest: str) -> Any:
    """RATES of a file: `{"adam": 0.003, "sgd": 0.1}`, a row like those of the tables."""
    from duograd.runner.own.modules import module

    rates = getattr(module(digest), "RATES", None)
    return OmegaConf.create(rates) if isinstance(rates, dict) else None


def _settings(row: Any, optimizer: str, table: str) -> DictConfig | None:
    """What a cell sets, with what goes with every cell of its row. Raises ConfigCompositionException."""
    if not isinstance(row, DictConfig):
        raise ConfigCompositionException(f"{table}: expected a row such as {{sgd: 0.1, adam: 0.001}}, got {row!r}")
    match row.get(optimizer):
        case None:  # a user's optimizer has a rate of its own, and the rest of the row
            return row.get(ALL) if ".py" in optimizer else None
        case int() | float() as rate:
            cell = OmegaConf.create({"optimizer": {"lr": rate}})
        case DictConfig() as cell:
            pass
        case other:
            raise ConfigCompositionException(f"{table}: expected a rate or a mapping for {optimizer}, got {other!r}")
    merged = OmegaConf.merge(row.get(ALL, {}), cell)
    assert isinstance(merged, DictConfig)
    return merged
