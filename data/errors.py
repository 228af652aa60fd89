"""What is wrong with a user's data."""


class DataError(ValueError):
    """A fault of the data: one line that names the thing, the value and the remedy."""


def reason(error: object) -> str:
    """What an error of another library says, in one line; its type, where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
