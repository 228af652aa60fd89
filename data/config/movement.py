"""Windows of movement."""

from functools import partial
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from duograd.data.augment import VariationConfig, vary
from duograd.data.source import Augmentation, SourceConfig, matching, required

MOTIONSENSE_URL = "https://github.com/mmalekzadeh/motion-sense/raw/master/data/A_DeviceMotion_data.zip"


class Movement(SourceConfig):
    """Windows of sensor channels, each one of several activities.

    standardise: each channel to mean 0 and std 1. augment: how far training windows are varied each time.
    """

    validation_fraction: float = Field(default=0.1, ge=0, lt=1)
    standardise: bool = False
    augment: VariationConfig = VariationConfig()

    def augmentation(self) -> Augmentation | None:
        return partial(vary, self.augment) if self.augment.varies else None


class ActivityH5(Movement):
    """Windows from an HDF5 file in the course's form; validation_fraction: of the training windows."""

    fewer: ClassVar[str] = "give a file with fewer windows"

    name: Literal["activity_h5"] = "activity_h5"
    path: Annotated[str, required("data=activity_h5 needs data.path=FILE, an HDF5 file of windows")] = Field(
        default=None, validate_default=True
    )


class PeopleApart(Movement):
    """Movement whose people are known: no person is in two splits, and fractions are of the people."""

    test_fraction: float = Field(default=0.2, ge=0, lt=1)
    window: int = Field(default=150, ge=2, le=100_000)


class MotionSense(PeopleApart):
    """The public MotionSense recordings, downloaded or in `root`; lists of people, where given, replace fractions."""

    fewer: ClassVar[str] = "ask for fewer windows, data.step=N with a larger N"

    name: Literal["motionsense"] = "motionsense"
    root: str | None = None
    url: Annotated[str, matching("https?://.+", "data.url needs an address, http:// or https://")] = MOTIONSENSE_URL
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
    def _nobody_twice(self) -> Self:
        both = sorted(set(self.validation_people or ()) & set(self.test_people or ()))
        if both:
            raise ValueError(
                f"person {both[0]} is in data.validation_people and in data.test_people: leave them in one of the two"
            )
        return self


class Gait(PeopleApart):
    """Simulated windows of six activities: `count` for training, `test_count` for test, of `people` people in all."""

    name: Literal["gait"] = "gait"
    count: int = Field(default=3000, ge=6, le=200_000)
    test_count: int = Field(default=600, ge=6, le=200_000)
    people: int = Field(default=40, ge=1, le=10_000)
    noise: float = Field(default=0.05, ge=0, le=10)


MovementConfig = ActivityH5 | MotionSense | Gait
