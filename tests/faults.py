"""What a fault says to the person whose data or command is at fault."""

from collections.abc import Callable
from typing import Any

import pytest

from duograd.data.errors import DataError
from duograd.runner.errors import UserError


def fault_of(call: Callable[..., Any], *arguments: Any, **keys: Any) -> str:
    """The line with which a call is refused."""
    with pytest.raises((DataError, UserError)) as caught:
        call(*arguments, **keys)
    line = str(caught.value)
    assert "\n" not in line
    return line
