"""Colour images, each one of several classes."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from duograd.data.crop_flip import CropFlipConfig, crop_flip
from duograd.data.source import Augmentation, SourceConfig, required

Share = Annotated[float, Field(ge=0, le=1)]
Deviation = Annotated[float, Field(gt=0, le=1)]


class Images(SourceConfig):
    """Images (3, H, W) of bytes, normalised batch by batch.

    count, test_count: the first so many training and test images, once the data is split; null for all.
    normalise: channels, (x / 255 - mean) / std; mean_image, x minus the mean training image; scale, x / 255.
    mean, std: of each channel, of x / 255; null measures them on the training images.
    augment: how training images are varied each time they are drawn.
    """

    count: int | None = Field(default=None, ge=1)
    test_count: int | None = Field(default=None, ge=1)
    normalise: Literal["channels", "mean_image", "scale"] = "channels"
    mean: list[Share] | None = Field(default=None, min_length=3, max_length=3)
    std: list[Deviation] | None = Field(default=None, min_length=3, max_length=3)
    augment: CropFlipConfig = CropFlipConfig()

    def augmentation(self) -> Augmentation | None:
        return partial(crop_flip, self.augment) if self.augment.varies else None


class Cifar10(Images):
    """CIFAR-10, downloaded or in `root`. verify: its files have the published md5 sums."""

    name: Literal["cifar10"] = "cifar10"
    root: str | None = None
    verify: bool = True
    validation_fraction: float = Field(default=0.02, ge=0, lt=1)
    mean: list[Share] | None = Field(default=[0.4914, 0.4822, 0.4465], min_length=3, max_length=3)
    std: list[Deviation] | None = Field(default=[0.2023, 0.1994, 0.2010], min_length=3, max_length=3)


class ImageFolder(Images):
    """A folder for each class, or a zip archive of such. size: of the side in pixels; null keeps images as they are.

    test_fraction: of each class's images, where no folders `train` and `test` say which are which.
    """

    fewer: ClassVar[str] = "ask for fewer images, data.count=N, or for smaller ones, data.size=N"

    name: Literal["image_folder"] = "image_folder"
    root: Annotated[str, required("data=image_folder needs data.root=DIR, a folder with one folder per class")] = Field(
        default=None, validate_default=True
    )
    size: int | None = Field(default=32, ge=2, le=1024)
    validation_fraction: float = Field(default=0.1, ge=0, lt=1)
    test_fraction: float = Field(default=0.2, ge=0, lt=1)
