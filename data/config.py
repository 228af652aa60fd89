"""What may stand under `data:` in a config: one model per source, told apart by `name`.

A new source is one class here, one name in `DataConfig`, one branch in `data/load.py` and one YAML in `conf/data/`.
"""

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from data.augment import VariationConfig

MAX_SEED = 2**32 - 1  # the largest that NumPy's and torch's generators both take
MOTIONSENSE_URL = "https://github.com/mmalekzadeh/motion-sense/raw/master/data/A_DeviceMotion_data.zip"


def required(remedy: str) -> BeforeValidator:
    """A value that YAML leaves null and the user must give; without it the error is `remedy`."""

    def check(value: object) -> object:
        if value is None or value == "":
            raise ValueError(remedy)
        return value

    return BeforeValidator(check)


def matching(pattern: str, remedy: str) -> AfterValidator:
    """A string of that form; another gives the error `remedy`."""

    def check(value: str | None) -> str | None:
        if value is not None and not re.fullmatch(pattern, value):
            raise ValueError(f"{remedy}, not '{value}'")
        return value

    return AfterValidator(check)


class Source(BaseModel):
    """What every source has: the seed of all its random choices, and the part of the samples kept for validation."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    fewer: ClassVar[str] = "ask for fewer samples, data.count=N"  # the remedy where memory is too small

    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    validation_fraction: float = Field(default=0.0, ge=0, lt=1)


class CutPatches(Source):
    """Square patches cut at random from photographs: how many, and their side in pixels."""

    count: int = Field(default=10240, ge=1, le=1_000_000)  # at the upper bound 16 × 16 patches take 3 GB
    size: int = Field(default=16, ge=2, le=512)


class PhotosSample(CutPatches):
    """Patches from the two photographs that scikit-learn ships."""

    name: Literal["photos_sample"] = "photos_sample"


class Photos(CutPatches):
    """Patches from a folder of images."""

    name: Literal["photos"] = "photos"
    root: Annotated[str, required("data=photos needs data.root=FOLDER, a folder of images")] = Field(
        default=None, validate_default=True
    )


class PatchesH5(Source):
    """Patches from an HDF5 file in the course's form; count: the first so many, or null for all."""

    name: Literal["patches_h5"] = "patches_h5"
    path: Annotated[str, required("data=patches_h5 needs data.path=FILE, an HDF5 file of patches")] = Field(
        default=None, validate_default=True
    )
    count: int | None = Field(default=None, ge=1)


class Movement(Source):
    """Windows of sensor channels, each one of several activities.

    standardise: each channel to mean 0 and std 1. augment: how far training windows are varied each time.
    """

    validation_fraction: float = Field(default=0.1, ge=0, lt=1)
    standardise: bool = False
    augment: VariationConfig = VariationConfig()


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
    channels: list[str] = ["total_acceleration"]
    step: int = Field(default=75, ge=1)
    balance: Literal["none", "undersample"] = "undersample"
    people: list[int] | None = Field(default=None, min_length=1)
    validation_people: list[int] | None = None
    test_people: list[int] | None = None

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


PatchConfig = PhotosSample | Photos | PatchesH5
MovementConfig = ActivityH5 | MotionSense | Gait
DataConfig = Annotated[PatchConfig | MovementConfig, Field(discriminator="name")]
