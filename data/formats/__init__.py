"""Reads the files that people bring: folders, archives, HDF5, CSV, images, pickles."""
