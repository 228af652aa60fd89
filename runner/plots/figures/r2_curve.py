"""R² over epochs: how much better the values are said than by the mean target."""

from duograd.runner.plots.figure import Figure, metric_curve

FIGURE = Figure(metric_curve("r2", "R²", "R²: 1 is perfect, 0 the mean target"), needs=["values"])
