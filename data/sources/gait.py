"""Simulated windows of six activities: for work without network or files, and for tests. No person moved for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from duograd.data.config import Gait
from duograd.data.dataset import DataSet, Split
from duograd.data.source import Source
from duograd.data.sources.channels import find_channels
from duograd.data.sources.gait_model import draw_crowd, simulate
from duograd.data.sources.windows import ACTIVITIES, Splits, window_dataset
from duograd.data.splits import split_people


def gait_dataset(config: Gait, dtype: np.dtype[Any]) -> DataSet:
    """Windows (N, T, 3) in g of people who are each in one split alone, as many of each activity as divides evenly.

    Validation takes its fraction twice: of the people, and, beside `count`, of so many windows. Each split has its own
    generator, so that its windows do not change with the size of another.
    Raises DataError where there are too few people for the splits.
    """
    crowd, choice, *split_rngs = (np.random.default_rng([config.seed, use]) for use in range(5))
    people = split_people(range(config.people), config.validation_fraction, config.test_fraction, choice)
    traits = draw_crowd(config.people, crowd)
    validation_count = max(len(ACTIVITIES), round(config.count * config.validation_fraction))

    def split(whose: Sequence[int], count: int, rng: np.random.Generator) -> Split | None:
        if not whose:
            return None
        number = np.arange(count)
        doing = number % len(ACTIVITIES)
        who = np.array(whose)[number // len(ACTIVITIES) % len(whose)]
        windows = simulate(traits, who, doing, config.window, config.noise, rng, dtype)
        return Split(windows, doing.astype(np.int64))

    counts = (config.count, validation_count, config.test_count)
    train, validation, test = (split(*each) for each in zip(people, counts, split_rngs, strict=True))
    assert train is not None  # split_people leaves somebody
    return window_dataset(
        config,
        f"synthetic: a simulation of {config.people} people",
        Splits(train, validation, test),
        dtype,
        classes=ACTIVITIES,
        channels=tuple(channel.name for channel in find_channels(["total_acceleration"])),
        units="g",
        synthetic=True,
    )


SOURCE = Source(config=Gait, inputs="sequences", targets="classes", offline=True)
