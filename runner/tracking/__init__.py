"""MLflow as a mirror of run folders: a reader that can fail, stop and catch up without training noticing.

A trainer imports `follower` only (standard library, no mlflow); what talks to MLflow runs in another process.
"""
