"""What is wrong with a user's data, in one line."""

from collections.abc import Sequence
from difflib import get_close_matches


class DataError(ValueError):
    """A fault of the data: one line that names the thing, the value and the remedy."""


def reason(error: object) -> str:
    """What an error of another library says, in one line; its type, where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """A question to open a hint with, or nothing where no known name is near."""
    lowered = {one.lower(): one for one in known}
    return "".join(f"did you mean '{lowered[match]}'? " for match in get_close_matches(name.lower(), lowered, n=1))
