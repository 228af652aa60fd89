"""Draws and simulates samples, where there is no file."""
