"""An optimizer as users write them, which halts before a step for as long as a test holds it there.

So a run is where the test wants it when something happens to it, however fast or slow the machine is.
"""

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Halting:
    """w -= lr (0.9 m + g). It halts before step t while there is a file `hold-t` in the current directory."""

    lr: float = 0.1
    slots = ("momentum",)

    def update(self, w, g, slots, lr, t):
        self._halt(t)
        slots["momentum"] *= 0.9
        slots["momentum"] += g
        w -= lr * slots["momentum"]

    def torch_update(self, w, g, slots, lr, t):
        self._halt(t)
        w.sub_(slots["momentum"].mul_(0.9).add_(g), alpha=lr)

    def _halt(self, t):
        while Path(f"hold-{t}").exists():
            time.sleep(0.01)


OPTIMIZER_FILE = f"optimizer={__file__}"
