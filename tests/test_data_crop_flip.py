"""Crops and flips, against the same written out image by image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duograd.data.augment import CropFlipConfig, crop_flip, cropped, flipped
from duograd.data.dataset import Split

IMAGES = np.random.default_rng(0).integers(1, 256, (400, 3, 6, 8), dtype=np.uint8)  # no black pixel of their own


def by_loop(images: np.ndarray, padding: int, rows: list[int], columns: list[int]) -> np.ndarray:
    """Each pixel for itself: what lies outside the image is black."""
    out = np.zeros_like(images)
    B, _, H, W = images.shape
    for b in range(B):
        for i in range(H):
            for j in range(W):
                y, x = i + rows[b] - padding, j + columns[b] - padding
                if 0 <= y < H and 0 <= x < W:
                    out[b, :, i, j] = images[b, :, y, x]
    return out


@given(st.data())
def test_crops_are_the_loop_s(data):
    B, C, H, W = (data.draw(st.integers(1, 5)) for _ in range(4))
    padding = data.draw(st.integers(0, 4))
    images = np.random.default_rng(data.draw(st.integers(0, 99))).integers(1, 256, (B, C, H, W), dtype=np.uint8)
    rows, columns = (data.draw(st.lists(st.integers(0, 2 * padding), min_size=B, max_size=B)) for _ in range(2))
    out = cropped(images, padding, np.array(rows), np.array(columns))
    np.testing.assert_array_equal(out, by_loop(images, padding, rows, columns))
    assert out.dtype == np.uint8
    assert out.flags.c_contiguous


@given(st.lists(st.booleans(), min_size=1, max_size=7))
def test_flips_are_the_loop_s(which):
    images = IMAGES[: len(which)]
    out = flipped(images, np.array(which))
    for before, after, turned in zip(images, out, which, strict=True):
        np.testing.assert_array_equal(after, before[:, :, ::-1] if turned else before)
    assert out.flags.c_contiguous


def test_half_of_the_images_are_flipped():
    out = crop_flip(CropFlipConfig(flip=True), IMAGES, np.random.default_rng(1))
    turned = (out == IMAGES[:, :, :, ::-1]).all(axis=(1, 2, 3))
    kept = (out == IMAGES).all(axis=(1, 2, 3))
    assert (turned ^ kept).all()
    assert 150 < turned.sum() < 250  # 400 fair coins: 200 ± 5 standard deviations


def test_every_shift_occurs_in_both_directions():
    out = crop_flip(CropFlipConfig(crop=2), IMAGES, np.random.default_rng(1))
    offsets = set()
    for before, after in zip(IMAGES, out, strict=True):
        shifts = [(y, x) for y in range(5) for x in range(5) if (by_loop(before[None], 2, [y], [x]) == after).all()]
        assert len(shifts) == 1
        offsets |= set(shifts)
    assert len(offsets) == 25


def test_both_together_are_both():
    out = crop_flip(CropFlipConfig(crop=1, flip=True), IMAGES, np.random.default_rng(1))
    shifts = [by_loop(IMAGES, 1, [y] * 400, [x] * 400) for y in range(3) for x in range(3)]
    shifted, turned = (
        np.any([(one == out).all(axis=(1, 2, 3)) for one in several], axis=0)
        for several in (shifts, [one[..., ::-1] for one in shifts])
    )
    assert (shifted ^ turned).all()
    assert 150 < turned.sum() < 250


@pytest.mark.parametrize(
    "config", [CropFlipConfig(crop=1), CropFlipConfig(flip=True), CropFlipConfig(crop=1, flip=True)]
)
def test_training_alone_is_varied_and_the_key_decides(config):
    before = IMAGES.copy()
    split = Split(IMAGES, augment=lambda images, rng: crop_flip(config, images, rng))
    first, again, other = (split.training_batch(slice(50), key).inputs for key in ([0, 1], [0, 1], [0, 2]))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(split.batch(slice(50)).inputs, before[:50])
    np.testing.assert_array_equal(IMAGES, before)  # nothing is varied in place


def test_nothing_asked_is_nothing_changed():
    assert not CropFlipConfig().varies
    assert CropFlipConfig(crop=1).varies
    assert CropFlipConfig(flip=True).varies
    np.testing.assert_array_equal(crop_flip(CropFlipConfig(), IMAGES, np.random.default_rng(0)), IMAGES)
