"""Simulated windows of six activities: for work without network or files, and for tests. No person moved for them."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from duograd.data.dataset import DataSet, Split
from duograd.data.folds import share
from duograd.data.source import Source
from duograd.data.splits import Splits, split_people
from duograd.data.synthetic.gait import draw_crowd, simulate
from duograd.data.windows import ACTIVITIES, PeopleConfig, window_dataset


class Gait(PeopleConfig):
    """Simulated windows of six activities: `count` for training, `test_count` for test, of `people` people in all."""

    name: Literal["gait"] = "gait"
    count: int = Field(default=3000, ge=6, le=200_000)
    test_count: int = Field(default=600, ge=6, le=200_000)
    people: int = Field(default=40, ge=1, le=10_000)
    noise: float = Field(default=0.05, ge=0, le=10)

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """Windows (N, T, 3) in g of people who are each in one split, as many of each activity as divides evenly.

        Validation takes its fraction twice: of the people, and, beside `count`, of so many windows. Each split has its
        own generator, so that its windows do not change with the size of another.
        Raises DataError where there are too few people for the splits.
        """
        crowd, choice, *split_rngs = (np.random.default_rng([self.seed, use]) for use in range(5))
        people = split_people(range(self.people), self.held_out, self.test_fraction, choice)
        traits = draw_crowd(self.people, crowd)
        validation_count = max(len(ACTIVITIES), round(self.count * share(self.held_out)))

        def split(whose: Sequence[int], count: int, rng: np.random.Generator) -> Split | None:
            if not whose:
                return None
            number = np.arange(count)
            doing = number % len(ACTIVITIES)
            who = np.array(whose)[number // len(ACTIVITIES) % len(whose)]
            windows = simulate(traits, who, doing, self.window, self.noise, rng, dtype)
            return Split(windows, doing.astype(np.int64))

        counts = (self.count, validation_count, self.test_count)
        train, validation, test = (split(*each) for each in zip(people, counts, split_rngs, strict=True))
        assert train is not None  # split_people leaves somebody
        return window_dataset(
            self,
            f"synthetic: a simulation of {self.people} people",
            Splits(train, validation, test),
            dtype,
            classes=ACTIVITIES,
            channels=tuple(f"total_acceleration.{axis}" for axis in "xyz"),
            units="g",
            synthetic=True,
        )


SOURCE = Source(config=Gait, inputs="sequences", targets="classes", offline=True)
