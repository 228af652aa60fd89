"""Pictures of a run: arrays in, PNG files out, each written atomically.

Image grids and pages of them (`grid`, `patches`, `weights`, `reconstructions`) are composed as arrays and need
Pillow only; `curves`, `confusion`, `gradient_norm` and `windows` import matplotlib, and only when they draw.
"""
