"""Optimizers, a module each: its configuration, its rule by hand and its torch twin. See `models/optimizer.py`."""
