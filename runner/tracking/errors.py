"""What can go wrong between a run folder and MLflow."""


class TrackingError(Exception):
    """Mirroring failed: one line that names the thing, the value and the remedy. The run folder is untouched."""


class UnreachableError(TrackingError):
    """Nothing answers at the tracking address: the next run folder would fail the same way."""
