"""The share of samples whose class is right, over epochs."""

from duograd.runner.plots.figure import Figure, metric_curve

FIGURE = Figure(metric_curve("accuracy", "Accuracy", "share of right classes"), needs=["classes"])
