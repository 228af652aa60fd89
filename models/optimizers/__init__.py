"""Optimizers as twins: a NumPy update rule and its torch counterpart, equal step for step."""
