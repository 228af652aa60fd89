"""What is wrong with a user's data."""


class DataError(ValueError):
    """A fault of the data: one line that names the thing, the value and the remedy."""
