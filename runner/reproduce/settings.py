"""The settings of a study beside each other: what each came to over its seeds, and the best against the others."""

from collections.abc import Iterator, Sequence

from duograd.runner.report.comparison import Comparison
from duograd.runner.report.contrasts import contrasts, interval_text
from duograd.runner.report.ranking import Group, Measure, rank_groups
from duograd.runner.report.records import Record
from duograd.runner.report.statistics import estimate
from duograd.runner.report.tables import NOTHING, Column, Table, contrast_table


def settings_tables(metrics: Sequence[str], records: Sequence[Record]) -> Iterator[Table]:
    """A row for each setting, the best by the first metric on top; then, of each metric, that one against the others.

    metrics: shares, such as val/accuracy, read after the last update. Nothing where no run is finished.
    """
    finished = [record for record in records if record.status == "FINISHED"]
    comparison = Comparison("", finished)
    measures = [Measure(metric, "final") for metric in metrics]
    groups = [rank.group for rank in rank_groups(comparison.groups, measures[0])]
    if groups:
        yield _reached(groups, measures)
    for measure in measures if len(groups) > 1 else ():
        table = contrast_table(comparison, contrasts(groups, groups[0], measure))
        yield Table([Column("in points of", [measure.metric] * len(table.rows), numeric=False), *table.columns])


def _reached(groups: Sequence[Group], measures: Sequence[Measure]) -> Table:
    columns = [Column("setting", [group.label for group in groups], numeric=False, naming=True)]
    for measure in measures:
        columns += _of(measure, groups)
    epochs = [", ".join(map(str, group.values_of("epochs"))) for group in groups]
    return Table([*columns, Column("epochs", epochs), Column("n", [str(len(group.finished)) for group in groups])])


def _of(measure: Measure, groups: Sequence[Group]) -> Iterator[Column]:
    """The mean over seeds, its interval, and the value of each seed."""
    values = [100 * group.values(measure) for group in groups]
    means = [estimate(of_seeds) for of_seeds in values]
    yield Column(measure.metric, [f"{mean.mean:.1f} %" if mean.n else NOTHING for mean in means])
    yield Column("95 %", [interval_text(mean.low, mean.high) for mean in means])
    yield Column("by seed", [", ".join(f"{value:.1f}" for value in of_seeds) for of_seeds in values])
