"""A confusion matrix a split (the test's in all three forms); counts and F1 by class, for summary.json."""

import numpy as np

from duograd.runner.classification import judge, row_names, targets
from duograd.runner.plots.confusion import Normalise, confusion_matrix
from duograd.runner.plots.figure import Facts, Figure, FinishedRun
from duograd.runner.store import files

FORMS: tuple[Normalise, ...] = ("recall", "precision", "counts")


def _facts(run: FinishedRun) -> Facts:
    """Counts of true and predicted classes and F1 a split; scikit-learn's report goes to files, as table and JSON."""
    verdicts = {
        name: judge(targets(split), run.outputs(name).argmax(axis=1), run.data.classes)
        for name, split in run.data.splits.items()
    }
    text = "\n".join(f"{name}\n{verdict['text']}" for name, verdict in verdicts.items())
    reports = {name: verdict["report"] for name, verdict in verdicts.items()}
    files.write_bytes(run.folder.path / "classification_report.txt", text.encode(errors="replace"))
    files.write_json(run.folder.path / "classification_report.json", reports)
    rows = dict(zip(run.data.classes, row_names(run.data.classes), strict=True))
    f1 = {name: {c: report[row]["f1-score"] for c, row in rows.items()} for name, report in reports.items()}
    return {"confusion": {name: verdict["counts"].tolist() for name, verdict in verdicts.items()}, "f1": f1}


def _draw(run: FinishedRun) -> None:
    for name, counts in run.facts["confusion"].items():
        for form in FORMS if name == "test" else FORMS[:1]:
            out = run.output(f"confusion_{name}_{form}", f"Confusion on {name}: {run.title}")
            confusion_matrix(np.array(counts), run.data.classes, out, form)


FIGURE = Figure(_draw, _facts, needs=["classes"])
