"""What may stand under `data:` in a config: one model per source, told apart by `name`.

A new source is one class here, one name in `DataConfig`, one branch in `data/load.py` and one YAML in `conf/data/`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MAX_SEED = 2**32 - 1  # the largest that NumPy's and torch's generators both take


def required(remedy: str) -> BeforeValidator:
    """A value that YAML leaves null and the user must give; without it the error is `remedy`."""

    def check(value: object) -> object:
        if value is None or value == "":
            raise ValueError(remedy)
        return value

    return BeforeValidator(check)


class Source(BaseModel):
    """What every source has: the seed of all its random choices, and the part of the samples kept for validation."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

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


PatchConfig = PhotosSample | Photos | PatchesH5
DataConfig = Annotated[PatchConfig, Field(discriminator="name")]
