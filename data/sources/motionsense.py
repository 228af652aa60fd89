"""MotionSense: people who walk, jog, climb stairs, sit and stand with a phone in the front pocket, 50 samples a second.

Malekzadeh et al. 2018, "Protecting Sensory Data against Sensitive Inferences". Nobody is in two splits, and no window
spans two recordings.

Legend: N windows, T time steps, S channels, R rows of a recording, U columns.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from duograd.data.dataset import Array, DataSet, Split
from duograd.data.errors import DataError
from duograd.data.formats.csv import read_columns
from duograd.data.formats.download import Download, cache_folder, fetch, require_digest
from duograd.data.formats.files import Files, read_file, user_path
from duograd.data.formats.motionsense import (
    CODES,
    Channel,
    Recording,
    find_channels,
    find_recordings,
    open_recordings,
    skip_notes,
    units_of,
)
from duograd.data.source import Source, matching
from duograd.data.splits import People, Splits, require_known, split_people, undersample_indices
from duograd.data.windows import ACTIVITIES, PeopleConfig, Places, cut_windows, window_dataset, window_places

URL = "https://github.com/mmalekzadeh/motion-sense/raw/master/data/A_DeviceMotion_data.zip"

OFFLINE = "give data.root=DIR, a folder or zip archive that you have, or use data=gait, which is simulated"


class MotionSense(PeopleConfig):
    """The public MotionSense recordings, downloaded or in `root`; lists of people, where given, replace fractions."""

    fewer: ClassVar[str] = "ask for fewer windows, data.step=N with a larger N"

    name: Literal["motionsense"] = "motionsense"
    root: str | None = None
    url: Annotated[str, matching("https?://.+", "data.url needs an address, http:// or https://")] = URL
    sha256: Annotated[str | None, matching("[0-9a-fA-F]{64}", "data.sha256 needs 64 hex digits")] = None
    channels: list[str] = Field(default=["total_acceleration"])
    step: int = Field(default=75, ge=1)
    balance: Literal["none", "undersample"] = "undersample"
    people: list[int] | None = Field(default=None, min_length=1)
    validation_people: list[int] | None = None
    test_people: list[int] | None = None

    @property
    def validates(self) -> bool:
        return bool(super().validates or self.validation_people)

    @model_validator(mode="after")
    def _folds_choose_the_people(self) -> Self:
        if self.folds is not None and self.validation_people is not None:
            raise ValueError("data.folds and data.validation_people both say who validates: leave one of them out")
        return self

    @model_validator(mode="after")
    def _nobody_twice(self) -> Self:
        both = sorted(set(self.validation_people or ()) & set(self.test_people or ()))
        if both:
            raise ValueError(
                f"person {both[0]} is in data.validation_people and in data.test_people: leave them in one of the two"
            )
        return self

    def read(self, dtype: np.dtype[Any]) -> DataSet:
        """Windows of the people in each split; one generator, seeded by `self`, draws people first, then windows."""
        channels = find_channels(self.channels)
        root = archive(self)
        rng = np.random.default_rng(self.seed)
        with open_recordings(root) as files:
            everything = find_recordings(names := files.namelist(), root)
            notes = skip_notes(files, names, everything)
            recordings = _of_people(everything, self.people)
            people = _split(recordings, self, rng)
            signals = [read_signal(files, one.name, channels).astype(dtype) for one in recordings]
        _require_room(recordings, signals, self.window)

        def split(whose: Sequence[int]) -> Split | None:
            mine = [index for index, one in enumerate(recordings) if one.person in whose]
            activities = np.array([recordings[index].activity for index in mine], np.int64)
            return _windows([signals[index] for index in mine], activities, self, rng) if mine else None

        train = split(people.train)
        assert train is not None  # split_people leaves somebody
        dataset = window_dataset(
            self,
            _source(root, people),
            Splits(train, split(people.validation), split(people.test)),
            dtype,
            classes=ACTIVITIES,
            channels=tuple(channel.name for channel in channels),
            units=units_of(channels),
        )
        return replace(dataset, notes=notes)


def archive(config: MotionSense) -> Path:
    """Where the recordings are: `root`, or the archive in the user's cache, downloaded the first time.

    Raises DataError where it cannot be had, or is not the one that `sha256` pins.
    """
    pin = config.sha256 and config.sha256.lower()
    if config.root is None:
        return fetch(Download(config.url, f"data={config.name}", OFFLINE), cache_folder() / config.name, pin)
    root = user_path(config.root)
    if pin and root.is_dir():
        raise DataError(f"data.root={root} is a folder, and data.sha256 is of a zip archive: leave data.sha256 out")
    if pin and root.is_file():
        require_digest(root, pin, "data.sha256", "give the right file")
    return root


def read_signal(files: Files, name: str, channels: Sequence[Channel]) -> Array:
    """The channels (R, S) of one recording, float64, each the sum of its columns."""
    columns = list(dict.fromkeys(column for channel in channels for column in channel.columns))
    values = read_columns(read_file(files, name), name, columns)  # (R, U)
    mixing = np.array([[column in channel.columns for channel in channels] for column in columns], np.float64)
    signal: Array = values @ mixing  # (U, S) of ones and zeros
    return signal


def _of_people(recordings: list[Recording], people: Sequence[int] | None) -> list[Recording]:
    """The recordings of the people asked for (all where None), every one of whom did every activity."""
    if people is not None:
        require_known("people", people, sorted({one.person for one in recordings}))
        recordings = [one for one in recordings if one.person in people]
    for person in sorted({one.person for one in recordings}):
        missing = set(range(len(CODES))) - {one.activity for one in recordings if one.person == person}
        if missing:
            code = CODES[min(missing)]
            raise DataError(
                f"person {person} has no recording of {ACTIVITIES[min(missing)]}: "
                f"add {code}_<trial>/sub_{person}.csv, or name the people to use in data.people=[…]"
            )
    return recordings


def _split(recordings: Sequence[Recording], config: MotionSense, rng: np.random.Generator) -> People:
    """Who is in which split: those named in `config`, else drawn at random."""
    return split_people(
        sorted({one.person for one in recordings}),
        config.held_out if config.validation_people is None else config.validation_people,
        config.test_fraction if config.test_people is None else config.test_people,
        rng,
    )


def _require_room(recordings: Sequence[Recording], signals: Sequence[Array], window: int) -> None:
    shortest = min(range(len(signals)), key=lambda index: len(signals[index]))
    rows = len(signals[shortest])
    if rows < window:
        raise DataError(
            f"{recordings[shortest].name} has {rows} rows, shorter than a window of {window}: "
            f"set data.window={rows} or less, or remove it"
        )


def _windows(signals: Sequence[Array], activities: Array, config: MotionSense, rng: np.random.Generator) -> Split:
    """Windows (N, T, S) of recordings and their activities, classes evened out where `config` asks."""
    places = window_places([len(signal) for signal in signals], config.window, config.step)
    targets = activities[places.recording]
    if config.balance == "undersample":
        kept = undersample_indices(targets, rng)
        places, targets = Places(places.recording[kept], places.row[kept]), targets[kept]
    return Split(cut_windows(signals, places, config.window), targets)


def _source(root: Path, people: People) -> str:
    """Such as `MotionSense (A_DeviceMotion_data.zip), 24 people: validation 3, 9; test 2, 5, 11, 12, 20`."""
    held_out = (("validation", people.validation), ("test", people.test))
    named = "; ".join(f"{what} {', '.join(map(str, who))}" for what, who in held_out if who)
    return f"MotionSense ({root.resolve().name}), {sum(map(len, people))} people" + (f": {named}" if named else "")


SOURCE = Source(config=MotionSense, inputs="sequences", targets="classes")
