"""search.json: what a search looks for and how, from its start; at its end what every trial came to."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from duograd.runner import atomic
from duograd.runner.errors import UserError

SEARCH = "search.json"  # in the folder of a sweep that is a search
JOURNAL = "study.journal"


@dataclass
class TrialRecord:
    """state: as Optuna calls it; value: the best of the metric, None for a failed trial; job: the number of its run."""

    number: int
    state: str
    value: float | None
    job: int | None


@dataclass
class SearchRecord:
    """The whole file.

    typed, fixed: the axes and the overrides that all trials share. digest: tells whether what all share is still the
    same. metric: that decides, as far as it is known. importances: the share of each key, where they can be told.
    """

    typed: list[str]
    fixed: list[str]
    digest: str
    options: dict[str, Any]
    metric: str | None
    trials: list[TrialRecord] = field(default_factory=list)
    importances: dict[str, float] | None = None

    def save(self, sweep: Path) -> None:
        atomic.write_json(sweep / SEARCH, asdict(self))

    @classmethod
    def load(cls, sweep: Path) -> Self:
        """What was saved. Raises UserError where it is none."""
        try:
            content = json.loads((sweep / SEARCH).read_text())
            trials = [TrialRecord(**trial) for trial in content.pop("trials")]
            return cls(**content, trials=trials)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{sweep / SEARCH} is not what a search writes: {error}") from None
