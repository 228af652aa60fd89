"""The drawings: what they hold, that they are the seed's alone, and that they ask for a network that sees shapes."""

import numpy as np
import pytest

from duograd.data.load import load
from duograd.data.sources.shapes import Shapes
from duograd.data.synthetic.shapes import CLASSES, FIGURES, Scene, draw, imagine, paint

AREAS = {  # of each shape, in squares of its radius; by geometry, where it has a formula
    "circle": np.pi * 0.85**2,
    "square": 1.4**2,
    "triangle": 3 * np.sqrt(3) * 0.5**2,
    "cross": 2 * 1.9 * 0.6 - 0.6**2,
    "ring": np.pi * (0.92**2 - 0.48**2),
    "star": 5 * 0.42 * np.sin(np.pi / 5),
    "stripes": 3 * 0.26 * 1.4,
    "checks": 5 * 0.46**2,
}


def scene(count, radius=0.45, turn=0.0):
    """White shapes on black, in the middle."""
    one = np.ones((count, 3))
    return Scene(
        np.full((count, 2), 0.5), np.full(count, radius), np.full(count, turn), 0 * one, one, np.zeros((count, 2, 3))
    )


def test_ten_classes_evenly_and_three_splits_of_bytes():
    dataset = load(Shapes(count=100, test_count=40))
    assert dataset.classes == CLASSES
    assert len(CLASSES) == 10
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [100, 10, 40]
    assert dataset.synthetic
    assert dataset.source == "synthetic: drawings of ten shapes, 150 images: 100 train, 10 validation, 40 test"
    for split in (dataset.train, dataset.validation, dataset.test):
        assert split.inputs.dtype == np.uint8
        assert split.inputs.shape[1:] == (3, 32, 32)
        np.testing.assert_array_equal(np.bincount(split.targets), len(split) // 10)
    assert dataset.gallery["images"].shape == (100, 32, 32, 3)
    assert load(Shapes(count=100, validation_fraction=0.0)).validation is None
    assert load(Shapes(count=10, test_count=10, size=48)).train.inputs.shape == (10, 3, 48, 48)


def test_the_seed_decides_everything():
    first, again, other = (load(Shapes(count=300, test_count=20, seed=seed)) for seed in (1, 1, 2))
    assert first.digest == again.digest != other.digest
    np.testing.assert_array_equal(first.test.inputs, again.test.inputs)


def test_no_image_is_in_two_splits():
    dataset = load(Shapes(count=20, test_count=20, validation_fraction=0.99))  # of one size
    images = np.concatenate([one.inputs for one in (dataset.train, dataset.validation, dataset.test)])
    assert len({image.tobytes() for image in images}) == 60


def test_splits_do_not_change_with_each_other_s_size():
    one, other = load(Shapes(count=300, test_count=20)), load(Shapes(count=40, test_count=20))
    np.testing.assert_array_equal(one.test.inputs, other.test.inputs)
    other = load(Shapes(count=300, test_count=50))
    np.testing.assert_array_equal(one.train.inputs, other.train.inputs)
    np.testing.assert_array_equal(one.validation.inputs, other.validation.inputs)


@pytest.mark.parametrize("name", AREAS)
@pytest.mark.parametrize("turn", [0.0, 1.0])
def test_a_shape_covers_its_area(name, turn):
    size = 128
    target = np.array([CLASSES.index(name)])
    white = paint(scene(1, turn=turn), target, size, Silent())[0, 0] / 255
    assert white.sum() == pytest.approx(AREAS[name] * (0.45 * size) ** 2, rel=0.01)  # edges one pixel wide


class Silent:
    """A generator whose noise is none."""

    def standard_normal(self, shape):
        return np.zeros(shape)


def test_every_shape_stays_in_its_circle_and_no_two_are_alike():
    masks = paint(scene(10), np.arange(10), 64, Silent())[:, 0] > 127
    y, x = np.mgrid[:64, :64] + 0.5
    outside = np.hypot(x - 32, y - 32) > 64 * 0.45 + 0.5  # half a pixel
    for name, mask in zip(CLASSES, masks, strict=True):
        assert mask.any()
        assert not (mask & outside).any(), name
    for i in range(10):
        for j in range(i):
            union = (masks[i] | masks[j]).sum()
            assert (masks[i] ^ masks[j]).sum() > 0.1 * union, (CLASSES[i], CLASSES[j])


def test_a_turn_turns():
    """The arrow points up at turn 0, down at half a turn, and sideways between."""
    up, quarter, half = (
        paint(scene(1, turn=turn), np.array([CLASSES.index("arrow")]), 64, Silent())[0, 0]
        for turn in (0, np.pi / 2, np.pi)
    )
    rows = up.astype(float).sum(axis=1)
    assert rows[:32].sum() > rows[32:].sum()  # the head is the larger part
    np.testing.assert_allclose(half.astype(int), up[::-1, ::-1], atol=2)
    assert min(np.abs(np.rot90(up, k).astype(int) - quarter).max() for k in (1, 3)) <= 2


def test_edges_are_smooth():
    circle = paint(scene(1), np.array([CLASSES.index("circle")]), 64, Silent())[0, 0]
    partly = (circle > 20) & (circle < 235)
    assert 0.5 < partly.sum() / (2 * np.pi * 0.85 * 0.45 * 64) < 1.5  # about one such pixel per pixel of circumference


def test_distances_are_below_0_inside_alone():
    for name, distance in FIGURES.items():
        far = distance(np.array([5.0, -5.0, 0.0]), np.array([0.3, 4.0, -6.0]))
        assert (far > 0.5).all(), name


def test_a_shape_is_as_often_darker_as_lighter_and_never_like_the_ground():
    drawn = imagine(2000, np.random.default_rng(0))
    further = drawn.colour - drawn.ground
    assert np.abs(np.sign(further).mean()) < 0.06  # 6000 coins: 0 ± 4.5 standard deviations
    assert np.abs(further).min() >= 0.25


def test_neither_colour_nor_brightness_tells_the_class():
    """Means by class differ by no more than chance: the shape's colour is the ground's, shifted either way round."""
    split = draw(2000, 16, np.random.default_rng(0))
    means = split.inputs.mean(axis=(2, 3))
    by_class = np.array([means[split.targets == c].mean(axis=0) for c in range(10)])
    spread = means.std(axis=0) / np.sqrt(200)
    assert (np.abs(by_class - means.mean(axis=0)) < 4.5 * spread).all()  # 30 comparisons


def linear_accuracy(train, test):
    """A least-squares classifier on raw pixels, lightly regularised."""
    x, y = train.inputs.reshape(len(train), -1) / 255, np.eye(10)[train.targets]
    centre = x.mean(axis=0)
    gram = (x - centre).T @ (x - centre) + 10 * np.eye(x.shape[1])
    weight = np.linalg.solve(gram, (x - centre).T @ (y - y.mean(axis=0)))
    scores = (test.inputs.reshape(len(test), -1) / 255 - centre) @ weight
    return (scores.argmax(axis=1) == test.targets).mean()


def test_a_linear_classifier_learns_nothing():
    rng = np.random.default_rng(0)
    assert linear_accuracy(draw(1500, 16, rng), draw(1000, 16, rng)) < 0.2  # chance is 0.1
