"""What came out of a comparison, in sentences."""

import math
from collections.abc import Iterator, Sequence

from duograd.runner.report.agreement import describe
from duograd.runner.report.comparable import sample_note
from duograd.runner.report.comparison import Comparison
from duograd.runner.report.ranking import Rank
from duograd.runner.report.records import Record

MOST = 3  # names in a sentence


def summarise(comparison: Comparison) -> str:
    """How many runs finished, and which was best; of two halves of one configuration, whether they agree."""
    records = comparison.records
    runs = f"{len(records)} run{'' if len(records) == 1 else 's'}"
    finished = sum(record.status == "FINISHED" for record in records)
    head = f"{runs}, {'all' if finished == len(records) else finished} finished."
    if not comparison.contest:
        return " ".join([head, *describe(comparison.pairs)])
    if not comparison.winners:
        return f"{head} No finished run has a value of {comparison.measure.metric} to be ranked by."
    return " ".join([head, *(_best(ranks, comparison) for ranks in comparison.winners)])


def notes(comparison: Comparison) -> list[str]:
    """What to know before one believes the ranking."""
    return [note for note in _notes(comparison) if note]


def _notes(comparison: Comparison) -> Iterator[str]:
    metric = comparison.measure.metric
    yield from comparison.remarks
    if comparison.rising is None:
        yield comparison.ranked_by[1]
    if len(comparison.data_sets) > 1:
        names = ", ".join(name or "unknown" for name in comparison.data_sets)
        yield f"Ranked apart for each data set, as {metric} on one says nothing of another: {names}."
    else:
        yield sample_note(comparison.records, metric)
    yield _untrained(comparison)
    yield from sorted({line for record in comparison.records for line in _of_data(record)})
    if comparison.contest:
        yield from describe(comparison.pairs)


def _of_data(record: Record) -> Iterator[str]:
    """What its run was told of the data, such as what was skipped, and of the user's own code."""
    for key, what in {"notes": f"{record.identity.get('data')}: ", "code_notes": ""}.items():
        lines = record.identity.get(key)
        yield from (f"{what}{note}." for note in (lines if isinstance(lines, list) else ()))


def _best(ranks: Sequence[Rank], comparison: Comparison) -> str:
    """Who has the first place in a data set."""
    measure, first = comparison.measure, ranks[0]
    labels = list(dict.fromkeys(comparison.label(rank.group) for rank in ranks))
    spread = "" if math.isnan(first.deviation) else f" ± {first.deviation:.2g}"
    direction = "highest" if measure.rises else "lowest"
    [name] = (name for name, groups in comparison.data_sets.items() if first.group in groups)
    where = f"Best on {name}" if len(comparison.data_sets) > 1 else "Best"
    verb = "is" if len(labels) == 1 else "are"
    return f"{where} {verb} {_some(labels)}: {measure.metric} {first.mean:.4g}{spread}, the {direction}."


def contrast_lines(comparison: Comparison) -> list[str]:
    """The best against the others in pairs, in sentences; what one seed says, where there is no more than one."""
    if comparison.unreplicated:
        return ["One run of each setting decides nothing: another seed may rank them otherwise."]
    known = [contrast for contrast in (comparison.contrasts or [[]])[0] if contrast.pairs > 1]
    lines = [c.describe(comparison.label(c.best), comparison.label(c.other)) for c in known[:MOST]]
    more = known[MOST:]
    if more:
        alike = sum(contrast.undecided for contrast in more)
        lines.append(f"{len(more)} more in answer.html: {alike} of them not to be told apart.")
    return lines


def method(comparison: Comparison) -> str:
    """How settings were compared, in a sentence for the page."""
    count = max((c.comparisons for c in (comparison.contrasts or [[]])[0]), default=0)
    holm = f", p corrected by Holm for all {count} pairs of settings" if count > 1 else ""
    folded = any(record.parameters.get("data.fold") is not None for record in comparison.records)
    folds = " Folds share training samples: what is said of them is surer than it should be." if folded else ""
    interval = "the bootstrap (BCa)" if comparison.interval == "bootstrap" else "Student's t"
    pairs = "Runs of one seed and fold see the same samples in the same order from the same initial values"
    if comparison.along == "step":
        pairs = "Runs of one seed are taken for pairs, as if their program made all that is random a function of it"
    return (
        f"{pairs}: differences are taken run by run. Intervals are of 95 %, by {interval}; ≈ marks what the paired t "
        f"test cannot tell apart from the best at 5 %{holm}.{folds}"
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def _untrained(comparison: Comparison) -> str:
    """A line on runs that never got better than they began: a full batch's first value is that before any update."""
    metric = comparison.measure.metric
    ranks = [r for r in comparison.ranks if r.epoch == 1 and _before_update(r.group.records[0], metric)]
    if not ranks:
        return ""
    which = _some([rank.group.label for rank in ranks])
    return f"The best {metric} of {which} is the value before the first update: training did not better it."


def _before_update(record: Record, metric: str) -> bool:
    """Whether the metric's first value is that of the initial weights, and there were others to be better."""
    full_batch = record.config.get("batch_size", 0) is None
    return full_batch and metric.startswith("train/") and len(record.history.get(metric, ())) > 1
