"""Composing a configuration without starting a job, for sub-commands and tests."""

from collections.abc import Sequence

from runner.config import RunConfig
from runner.explain import explain
from runner.validate import validate


def compose(overrides: Sequence[str]) -> RunConfig:
    """The checked configuration that `duograd OVERRIDES` would run. Raises UserError."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module

    try:
        with initialize_config_module(config_module="conf", version_base="1.3"):
            tree = hydra_compose(config_name="config", overrides=list(overrides))
    except Exception as error:
        raise explain(error) from None
    return validate(tree)
