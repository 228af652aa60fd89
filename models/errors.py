"""What a network can fail at before it exists."""


class ArchitectureError(ValueError):
    """A network that cannot be built for this data; one line that names the layer, the value and the remedy."""
