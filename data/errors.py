"""What is wrong with a user's data, in one line."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class DataError(ValueError):
    """A fault of the data: one line that names the thing, the value and the remedy, whatever files are called."""

    def __init__(self, line: str) -> None:
        super().__init__(printable(line))


def printable(text: str) -> str:
    """A text that can be printed and stored: bytes of a name that are no UTF-8, and line ends, as \\xe9 and \\n."""
    known = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return CONTROL.sub(lambda char: repr(char[0])[1:-1], known)


def reason(error: object) -> str:
    """What an error of another library says, in one line; its type, where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """A question to open a hint with, or nothing where no known name is near."""
    lowered = {one.lower(): one for one in known}
    return "".join(f"did you mean '{lowered[match]}'? " for match in get_close_matches(name.lower(), lowered, n=1))
