"""Families of networks, one a package: see `models/family.py`."""
