"""Patches of photographs."""

from typing import Annotated, Literal

from pydantic import Field

from duograd.data.source import SourceConfig, required


class CutPatches(SourceConfig):
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


class PatchesH5(SourceConfig):
    """Patches from an HDF5 file in the course's form; count: the first so many, or null for all."""

    name: Literal["patches_h5"] = "patches_h5"
    path: Annotated[str, required("data=patches_h5 needs data.path=FILE, an HDF5 file of patches")] = Field(
        default=None, validate_default=True
    )
    count: int | None = Field(default=None, ge=1)


PatchConfig = PhotosSample | Photos | PatchesH5
