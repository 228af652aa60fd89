"""What happens around training: each concern is a hook, and the loop knows none of them."""

from typing import Any

from duograd.runner.training import Floats, Training


class Hook:
    """Called by the loop; does nothing by itself. A hook that remembers gives its memory to the checkpoint."""

    name = ""

    def start(self, training: Training) -> None:
        """Before the first step, or where a resumed run goes on."""

    def step(self, training: Training) -> None:
        """After each step of a mini-batch epoch. (A full-batch epoch is one step, and ends in `epoch`.)"""

    def epoch(self, training: Training, record: Floats) -> None:
        """After each epoch, with its line of metrics.jsonl."""

    def end(self) -> None:
        """After the last epoch, or where the run broke off: gives back what `start` took."""

    def state(self) -> dict[str, Any]:
        """What to remember across a kill, as plain data."""
        return {}

    def load(self, state: dict[str, Any]) -> None:
        """Puts back what `state` gave."""
