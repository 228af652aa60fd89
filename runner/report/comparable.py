"""What of runs can be compared: the metric to rank them by, the data sets to rank apart, and a line of reasons."""

from collections import Counter
from collections.abc import Sequence

from duograd.runner.registry import declared_metrics, rising_metrics, term_of
from duograd.runner.report.parameters import ABSENT, differing, format_value
from duograd.runner.report.records import Record
from duograd.runner.store.overrides import short_names

SOURCE = ("data", "data.root", "data.path")  # which samples there are; the other keys of data say what is made of them
NO_SAMPLES = ("data.augment", "data.fold")  # varies training samples alone, or is said of each run by itself
WITHOUT_PENALTY = ("mse", "mae")  # the same whatever loss was minimised, as are all metrics that rise


def ranking_metric(records: Sequence[Record], asked: str | None = None, remedy: str = "") -> tuple[str, str]:
    """The metric to rank by, and the reason where it is not the one that was watched, or should not be trusted; "".

    Less of a metric that no loss declares counts as better, and the reason says so, with the remedy. Runs whose losses
    are sums of different parts are ranked by a part that all have, unless a metric was asked for: of the runs, or by a
    search.
    """
    metric = asked or _monitored(records) or "train/loss"
    split, term = metric.rpartition("/")[0], term_of(metric)
    if term not in declared_metrics():
        return metric, f"Less {metric} counts as better: no loss that is installed here declares {term}{remedy}."
    parts = [key for key in differing(records) if key.partition(".")[0] == "loss"]
    if term != "loss" or not parts:
        return metric, ""
    names, verb = _listed(parts)
    chosen = asked or any(record.config.get("monitor") for record in records)
    histories = [record.history for record in records if record.status == "FINISHED"]
    why = f"{names} {verb}, so that {metric} is not the same sum in all runs"
    for other in () if chosen or not histories else (*rising_metrics(), *WITHOUT_PENALTY):
        if all(f"{split}/{other}" in history for history in histories):
            return f"{split}/{other}", f"Ranked by {split}/{other}: {why}."
    return metric, f"Places by {metric} say little: {why}."


def _monitored(records: Sequence[Record]) -> str | None:
    """The metric that the runs watched; where they differ, the commonest that all of them have."""
    watched = [name for name, _ in Counter(record.monitor for record in records if record.monitor).most_common()]
    histories = [record.history for record in records if record.history]
    everywhere = [name for name in watched if all(name in history for history in histories)]
    return next(iter([*everywhere, *watched]), None)


def data_sets(records: Sequence[Record]) -> dict[Record, str]:
    """By run the name of its data set, as short as it can be; the same for all where there is one only."""
    known = [record for record in records if record.config]
    keys = [key for key in differing(records) if key in SOURCE]
    digests = {record.identity.get("digest") for record in known}
    if not keys or (len(digests) == 1 and None not in digests):
        return dict.fromkeys(records, "")
    return {
        record: " ".join(format_value(record.parameters.get(key, ABSENT)) for key in keys) if record.config else ""
        for record in records
    }


def sample_note(records: Sequence[Record], metric: str) -> str:
    """A line where runs made different samples of one source; "" where they did not."""
    keys = [key for key in differing(records) if key.startswith("data.") and key not in SOURCE]
    keys = [key for key in keys if not key.startswith(NO_SAMPLES)]
    if not keys:
        return ""
    names, verb = _listed(keys)
    return f"{names} {verb}: {metric} is measured on different samples."


def _listed(keys: Sequence[str]) -> tuple[str, str]:
    names = short_names(keys)
    return ", ".join(names[key] for key in keys), "differs" if len(keys) == 1 else "differ"
