"""Recurrent cells, a module each: see `cell.py` beside this folder."""
