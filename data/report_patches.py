"""Row 16 of the report's errors: its preprocessing swapped the names of minimum and maximum, and transposed pixels.

Legend: N patches, H height, W width.
"""

from dataclasses import replace

from duograd.data.dataset import Array, DataSet, Split
from duograd.data.errors import DataError
from duograd.data.load import digest
from duograd.data.patches import TARGET_HIGH, TARGET_LOW

NOTE = "as in the report: images are inverted (minimum and maximum swapped), their pixels transposed"


def swapped(data: DataSet) -> DataSet:
    """The patches as the report had them: the largest pixel at 0.1, the smallest at 0.9, pixel (r, c) at (c, r).

    Raises DataError where samples are no images laid out flat.
    """
    if len(data.image_shape) != 2:
        raise DataError(f"gradient=row_16 is of patches, and the samples of data={data.name} are none: leave it out")
    height, width = data.image_shape

    def inverted(images: Array) -> Array:
        """(N, H, W) -> (N, W, H)."""
        return (TARGET_LOW + TARGET_HIGH) - images.transpose(0, 2, 1)

    def split(of: Split) -> Split:
        return replace(of, inputs=inverted(of.inputs.reshape(-1, height, width)).reshape(-1, width * height))

    train = split(data.train)
    return replace(
        data,
        train=train,
        validation=None if data.validation is None else split(data.validation),
        test=None if data.test is None else split(data.test),
        digest=digest(train.inputs),
        gallery={name: inverted(images) if name == "grey" else images for name, images in data.gallery.items()},
        image_shape=(width, height),
        notes=(*data.notes, NOTE),
    )
