"""What a run finds around it: alone with a terminal and a process of its own, or one of many in a sweep's worker."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from duograd.data.dataset import DataSet
from duograd.runner import build
from duograd.runner.config import RunConfig
from duograd.runner.hooks.interruption import Interruption, Signals


@dataclass(frozen=True)
class RunContext:
    """How a run is to behave. Nothing in here changes its result.

    console: where it prints. interruption: what ends it early. load: where its data comes from.
    name, swept: given by a sweep. threads: for a backend that names no number. mirrored: by a follower of its own.
    drawn: its figures; without them only the facts that they would find. flags: that its command begins with.
    """

    console: Console
    interruption: Interruption
    load: Callable[[RunConfig], DataSet] = build.data_set
    name: str | None = None
    swept: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None
    mirrored: bool = True
    drawn: bool = True
    flags: Sequence[str] = ()

    def threaded(self, config: RunConfig) -> RunConfig:
        """The configuration with this context's threads, unless it names its own."""
        if self.threads is None or config.backend.threads is not None:
            return config
        return config.model_copy(update={"backend": config.backend.model_copy(update={"threads": self.threads})})


def alone() -> RunContext:
    """A run by itself."""
    return RunContext(Console(), Signals())
