"""Images of classes as a data set: bytes, normalised batch by batch, and a gallery."""

import numpy as np
import pytest
from faults import fault_of

from duograd.data.dataset import Split
from duograd.data.images import Splits, image_dataset, one_after_another
from duograd.data.load import load
from duograd.data.sources.shapes import Shapes

FLOAT32 = np.dtype("float32")


def some(count, classes=3):
    images = np.random.default_rng(0).integers(0, 256, (count, 3, 6, 8), dtype=np.uint8)
    return Split(images, np.arange(count) % classes)


def test_a_split_stays_bytes_and_gives_normalised_batches():
    dataset = image_dataset(Shapes(), "drawn", Splits(some(40), some(6), some(7)), FLOAT32, classes=("a", "b", "c"))
    for split in (dataset.train, dataset.validation, dataset.test):
        assert split.inputs.dtype == np.uint8
        batch = split.batch(slice(5)).inputs
        assert (batch.dtype, batch.shape) == (FLOAT32, (5, 3, 6, 8))
    whole = dataset.train.batch().inputs
    assert (abs(whole.mean()), whole.std()) == pytest.approx((0, 1), abs=1e-5)  # the training images' own scale
    other = dataset.test.batch(slice(1)).inputs
    np.testing.assert_array_equal(other, dataset.train.normalise(dataset.test.inputs[:1]))  # which the others share
    assert dataset.image_shape == (6, 8)
    assert dataset.source == "drawn, 53 images: 40 train, 6 validation, 7 test"


def test_the_gallery_shows_each_class_alike():
    dataset = image_dataset(Shapes(), "drawn", Splits(some(25), None, None), FLOAT32, classes=("a", "b", "c"))
    pictures = dataset.gallery["images"]
    assert pictures.shape == (3 * 8, 6, 8, 3)  # of class c there are 8
    np.testing.assert_allclose(pictures[8], dataset.train.inputs[1].transpose(1, 2, 0) / 255, rtol=1e-6)
    assert dataset.source == "drawn, 25 images: 25 train"


def test_the_gallery_passes_over_a_class_that_does_not_occur():
    split = Split(np.zeros((30, 3, 2, 2), np.uint8), np.array([0, 2] * 15))
    np.testing.assert_array_equal(one_after_another(split, 3), [*range(0, 20, 2), *range(1, 21, 2)])


def test_a_crop_as_large_as_the_image_is_refused():
    assert fault_of(load, Shapes(count=10, test_count=10, size=8, augment={"crop": 8})) == (
        "data.augment.crop=8 can leave nothing of images of 8×8 pixels: set it to 7 or less"
    )


def test_augmentation_is_of_training_images_alone():
    dataset = load(Shapes(count=10, test_count=10, size=8, augment={"crop": 2, "flip": True}))
    assert dataset.train.augment is not None
    assert dataset.validation.augment is None
    assert dataset.test.augment is None
    assert load(Shapes(count=10, test_count=10, size=8)).train.augment is None
