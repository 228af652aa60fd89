"""MLflow as a mirror of run folders: a reader that can fail, stop and catch up without training noticing.

A trainer imports `follower` only (standard library, no mlflow); what talks to MLflow runs in another process.
"""


class TrackingError(Exception):
    """Mirroring failed: one line that names the thing, the value and the remedy. The run folder is untouched."""


class UnreachableError(TrackingError):
    """Nothing answers at the tracking address: the next run folder would fail the same way."""
