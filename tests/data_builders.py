"""Configurations of sources as a user gets them."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from duograd.data.dataset import Array, Split
from duograd.data.source import SourceConfig
from duograd.runner.registry import SOURCES

CONF = Path(__file__).parents[1] / "conf" / "data"


def from_yaml(name: str, **given: Any) -> SourceConfig:
    """The config that conf/data/NAME.yaml and what a user gives make together."""
    tree = {**OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml")), **given}
    return SOURCES.find(name).config.model_validate(tree)


def samples(split: Split | None) -> tuple[Array, Array]:
    """Inputs and targets of a split that there is."""
    assert split is not None
    assert split.targets is not None
    return split.inputs, split.targets
