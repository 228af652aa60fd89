"""Composing a configuration without starting a job, for sub-commands, help and tests."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from duograd.runner.explain import explain

if TYPE_CHECKING:
    from duograd.runner.config import RunConfig


def compose(overrides: Sequence[str]) -> "RunConfig":
    """The checked configuration that `duograd OVERRIDES` would run. Raises UserError."""
    from duograd.runner.validate import validate

    return validate(compose_tree(overrides))


def compose_tree(overrides: Sequence[str]) -> DictConfig:
    """The tree that Hydra composes, unchecked. Raises UserError."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module

    try:
        with initialize_config_module(config_module="duograd.conf", version_base="1.3"):
            return hydra_compose(config_name="config", overrides=list(overrides))
    except Exception as error:
        raise explain(error) from None
