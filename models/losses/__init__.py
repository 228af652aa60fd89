"""Losses, a module each: its configuration, its value and gradient by hand, its torch twin. See `models/loss.py`."""
