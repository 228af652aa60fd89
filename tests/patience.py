"""Waiting in tests: for what happens, never for how long. The one limit is there so that what hangs ends at all."""

import subprocess
import time
from collections.abc import Callable
from typing import Any

HANGING_S = 3600.0  # no machine is so busy


def wait_until(condition: Callable[[], Any], process: "subprocess.Popen[Any] | None" = None) -> Any:
    """What the condition gives, as soon as that is true. process: it is to come about while that lives."""
    hanging = time.monotonic() + HANGING_S
    while not (value := condition()):
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < hanging, "waited in vain"
        time.sleep(0.05)
    return value
