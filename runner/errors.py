"""Faults that are the user's to mend: one line each, exit code 2."""

import difflib
import re
from collections.abc import Iterable
from errno import ENOENT


class UserError(ValueError):
    """A fault of the user's: one line that names the thing, the value and the remedy."""


# What a hand used to the report or to another framework types -> what it is called here.
HABITS = {
    "L_hid": "hidden_size",
    "l_hid": "hidden_size",
    "hidden": "hidden_size",
    "eta": "lr",
    "learning_rate": "lr",
    "alpha": "momentum",
    "lambd": "lambda",
    "lam": "lambda",
    "reg": "lambda",
    "batch": "batch_size",
    "n_epochs": "epochs",
    "num_epochs": "epochs",
    "optim": "optimizer",
    "n_layers": "num_layers",
    "mse": "squared_error",
    "ce": "cross_entropy",
    "crossentropy": "cross_entropy",
    "hinge": "svm",
    "cnn": "convnet",
    "pytorch": "torch",
}


LONGEST = 1200  # characters of a line; what a user typed may have any length


def one_line(text: str) -> str:
    """The text on one line of bounded length, without what a terminal would obey; its middle is left out first."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text.strip())
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 200]} … {shown[-197:]}"


PASSWORD = re.compile(r"(?P<user>[a-zA-Z][\w+.-]*://[^\s/:@'\"]*):[^\s/'\"]+@")
MASK = "***"


def mask(text: str) -> str:
    """The text with the passwords of its addresses masked: `https://me:***@host`."""
    return PASSWORD.sub(rf"\g<user>:{MASK}@", text)


def system_fault(error: OSError) -> str:
    """What the operating system refused, in one line: `outputs/run/metrics.jsonl: No space left on device`."""
    if error.filename:
        return f"{error.filename}: {error.strerror}"
    return "the current directory is gone: go to another" if error.errno == ENOENT else error.strerror or str(error)


def nearest(word: str, names: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """The one of the names that somebody may have meant, whatever its case; none where none is close."""
    by_case = {name.lower(): name for name in names}
    habit = HABITS.get(word, HABITS.get(word.lower()))
    if habit in by_case:
        return [habit]
    return [by_case[name] for name in difflib.get_close_matches(word.lower(), by_case, n=1, cutoff=cutoff)]


def suggestion(word: str, known: Iterable[str], prefix: str = "") -> str:
    """ ": did you mean 'x'? known: a, b, …", the first part only where something is close enough to mean it."""
    names = sorted(set(known))
    close = nearest(word, names)
    meant = f"did you mean '{prefix}{close[0]}'? " if close else ""
    return f": {meant}known: {', '.join(names)}"
