"""How a classifier does: confusion matrices with their report, samples with what was said of them, gradients in time.

Legend: T time steps, C classes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from duograd.runner.classification import judge, targets
from duograd.runner.pictures.finished import Facts, Finished
from duograd.runner.store import files

SHOWN = 12  # windows
MOST_WRONG = 6  # of them
PROBED = 100  # samples whose gradient is followed back in time


def confusion_matrices(run: Finished) -> Facts:
    """A confusion matrix a split (the test's in all three forms), with what `reports` finds."""
    from duograd.runner.figures.confusion import confusion_matrix as draw

    facts = reports(run)
    for name, counts in facts["confusion"].items():
        for normalise in ("recall", "precision", "counts") if name == "test" else ("recall",):
            path = run.path(f"confusion_{name}_{normalise}")
            title = f"Confusion on {name}: {run.title}"
            draw(np.array(counts), run.data.classes, path, title, normalise=normalise, footer=run.footer)
    return facts


def reports(run: Finished) -> Facts:
    """Counts of true and predicted classes and F1 a split; scikit-learn's report as table and JSON."""
    verdicts = {
        name: judge(targets(split), run.outputs(name).argmax(axis=1), run.data.classes)
        for name, split in run.data.splits.items()
    }
    text = "\n".join(f"{name}\n{verdict['text']}" for name, verdict in verdicts.items())
    found = {name: verdict["report"] for name, verdict in verdicts.items()}
    files.write_bytes(run.folder.path / "classification_report.txt", text.encode())
    files.write_json(run.folder.path / "classification_report.json", found)
    f1 = {name: {c: report[c]["f1-score"] for c in run.data.classes} for name, report in found.items()}
    return {"confusion": {name: verdict["counts"].tolist() for name, verdict in verdicts.items()}, "f1": f1}


def windows(run: Finished) -> Facts:
    """Some samples with true and predicted class, wrong ones among them where there are any."""
    from duograd.runner.figures.windows import windows as draw

    split = run.data.splits[run.data.held_out]
    predicted = run.outputs(run.data.held_out).argmax(axis=1)
    chosen = _chosen(targets(split), predicted, run.seed)
    classes = np.array(run.data.classes)
    true, said = classes[targets(split)[chosen]].tolist(), classes[predicted[chosen]].tolist()
    path, title = run.path("windows"), f"Windows: {run.title}"
    draw(split.inputs[chosen], run.data.channels, run.data.units, true, said, path, title, run.footer)
    return {}


def gradient_norm(run: Finished) -> Facts:
    """How much of the loss's gradient reaches each time step, before and after training."""
    from duograd.runner.figures.gradient_norm import gradient_norm as draw

    batch = run.data.train.batch(slice(PROBED))
    engines = {"at the start": run.untrained(), "at the end": run.engine}
    norms = {name: engine.probe(batch)["gradient_norm_by_step"] for name, engine in engines.items()}
    draw(norms, run.path("gradient_norm"), f"Gradient in time: {run.title}", run.footer)
    return {}


def _chosen(true: NDArray[Any], predicted: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Random samples, the wrong ones among them last."""
    order = np.random.default_rng(seed).permutation(len(true))
    is_right = predicted[order] == true[order]
    wrong = order[~is_right][:MOST_WRONG]
    return np.concatenate([order[is_right][: SHOWN - len(wrong)], wrong])
