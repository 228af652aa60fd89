"""From the values of a trial to the job that runs it: a new one, or one that had the same configuration before."""

from pathlib import Path
from typing import Any

from duograd.runner.errors import UserError
from duograd.runner.search.space import Space
from duograd.runner.store.records import JobRecord, SweepRecord
from duograd.runner.sweep.composer import Composer
from duograd.runner.sweep.merge import add
from duograd.runner.sweep.plan import Job, plan


class Jobs:
    """The jobs of a search. record: of the sweep, to which new ones are added; composed: by number, once asked for."""

    def __init__(self, composer: Composer, space: Space, directory: Path, record: SweepRecord) -> None:
        self._composer, self._space, self._directory, self._record = composer, space, directory, record
        self.composed: dict[int, Job] = {}

    def of(self, values: dict[str, Any]) -> JobRecord:
        """The job for the values. Where they cannot be composed, which no probe foretold, it has FAILED already."""
        swept = self._space.overrides(values)
        grid = [[*self._space.fixed, *swept]]
        try:
            [job] = plan(self._composer, grid, self._space.keys, self._directory)
        except UserError as error:
            return self._refused(swept, str(error))
        record = self._known(job.hash) or add(self._record.jobs, job.name, job.hash)
        record.overrides = swept
        self.composed[record.number] = job
        return record

    def _refused(self, swept: list[str], error: str) -> JobRecord:
        name = ",".join(swept)
        record = self._known(name) or add(self._record.jobs, name, name)
        record.overrides, record.status, record.error = swept, "FAILED", error
        return record

    def _known(self, digest: str) -> JobRecord | None:
        return next((record for record in self._record.jobs if record.hash == digest), None)
