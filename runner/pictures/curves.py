"""Metrics over epochs, and the loss over steps."""

from duograd.runner.pictures.finished import Facts, Finished


def loss_curve(run: Finished) -> Facts:
    """The loss and its terms."""
    from duograd.runner.figures.curves import loss_curve as draw

    history = run.history()
    names = [name.removeprefix("train/") for name in history if name.startswith("train/")]
    terms = [name for name in names if name not in ("loss", "accuracy")]
    draw(history, run.path("loss_curve"), f"Loss: {run.title}", terms, run.footer)
    return {}


def step_curve(run: Finished) -> Facts:
    """The loss of every step of mini-batch training; nothing for full batches, whose steps are the epochs."""
    from duograd.runner.figures.step_curve import step_curve as draw

    losses = run.folder.step_losses()
    if not losses:
        return {}
    steps, values = zip(*losses, strict=True)
    in_epoch = steps[-1] // len(run.history()["epoch"])
    ends = range(in_epoch, steps[-1] + 1, in_epoch)
    draw(steps, values, ends, run.path("step_curve"), f"Loss by step: {run.title}", run.footer)
    return {}


def accuracy_curve(run: Finished) -> Facts:
    """The share of samples whose class is right."""
    from duograd.runner.figures.curves import metric_curve as draw

    history = run.history()
    names = [name for name in history if name.endswith("/accuracy")]
    draw(history, names, run.path("accuracy_curve"), f"Accuracy: {run.title}", "share of right classes", run.footer)
    return {}
