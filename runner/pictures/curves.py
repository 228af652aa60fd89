"""Metrics over epochs."""

from runner.pictures.finished import Facts, Finished


def loss_curve(run: Finished) -> Facts:
    """The loss and its terms."""
    from runner.figures.curves import loss_curve as draw

    history = run.history()
    names = [name.removeprefix("train/") for name in history if name.startswith("train/")]
    terms = [name for name in names if name not in ("loss", "accuracy")]
    draw(history, run.path("loss_curve"), f"Loss: {run.title}", terms, run.footer)
    return {}


def accuracy_curve(run: Finished) -> Facts:
    """The share of samples whose class is right."""
    from runner.figures.curves import metric_curve as draw

    history = run.history()
    names = [name for name in history if name.endswith("/accuracy")]
    draw(history, names, run.path("accuracy_curve"), f"Accuracy: {run.title}", "share of right classes", run.footer)
    return {}
