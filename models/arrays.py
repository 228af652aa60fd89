"""The arrays that layers take and give."""

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
