"""Where a configuration came from: the folder beside ours, the name of its root, and what was typed of Hydra's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

if TYPE_CHECKING:
    from duograd.runner.store.records import Origin

ROOT = "config"  # conf/config.yaml
COMMAND_LINE = "command-line"  # Hydra's name for the folder that --config-dir adds


def origin_of(hydra: Any) -> "Origin":
    """Where a tree came from that Hydra composed, by its node `hydra`."""
    from duograd.runner.store.records import Origin

    sources = hydra.runtime.config_sources
    folder = next((str(source.path) for source in sources if source.provider == COMMAND_LINE), None)
    overrides = [text for text in override_texts(hydra.overrides.hydra) if not text.startswith("hydra.mode=")]
    return Origin(str(hydra.job.config_name), folder, overrides)


def origin_flags(origin: "Origin") -> list[str]:
    """`--config-dir DIR --config-name NAME hydra.searchpath=[…]`, as far as they were given.

    A DIR inside the current directory is meant from there.
    """
    path, here = Path(origin.config_dir or ""), Path.cwd()
    inside = path.relative_to(here) if path.is_relative_to(here) else path
    folder = ["--config-dir", str(inside)] if origin.config_dir else []
    name = ["--config-name", origin.config_name] if origin.config_name != ROOT else []
    return [*folder, *name, *(text for text in origin.hydra if text.startswith("hydra.searchpath="))]


def override_texts(overrides: Any) -> list[str]:
    """The overrides that Hydra kept, as they were typed: their interpolations are a job's."""
    content = OmegaConf.to_container(overrides, resolve=False)
    assert isinstance(content, list)
    return [str(override) for override in content]
