"""Augmentation: what it changes, by how much, and that it is the key's alone."""

import numpy as np
import pytest

from duograd.data.augment import VariationConfig, vary
from duograd.data.dataset import Split
from duograd.runner import build
from duograd.runner.compose import compose
from duograd.runner.training import Training

WINDOWS = np.random.default_rng(0).standard_normal((400, 50, 3)).astype(np.float32)


def varied(**config: float) -> np.ndarray:
    return vary(VariationConfig(**config), WINDOWS, np.random.default_rng(1))


def test_noise_is_on_each_value():
    change = varied(noise=0.3) - WINDOWS
    assert change.std() == pytest.approx(0.3, rel=0.02)  # 60000 draws: known to 0.3 %
    assert abs(np.corrcoef(change[:, 0].ravel(), change[:, 1].ravel())[0, 1]) < 0.1


def test_an_offset_shifts_a_whole_channel():
    change = varied(offset=0.3) - WINDOWS
    np.testing.assert_allclose(change, np.broadcast_to(change[:, :1], change.shape), atol=1e-5)
    assert change[:, 0].std() == pytest.approx(0.3, rel=0.1)  # 1200 draws


def test_a_scale_multiplies_a_whole_channel():
    factor = varied(scale=0.2) / WINDOWS
    np.testing.assert_allclose(factor, np.broadcast_to(factor[:, :1], factor.shape), rtol=1e-3)
    assert (factor[:, 0].mean(), factor[:, 0].std()) == pytest.approx((1, 0.2), rel=0.1)


def test_nothing_asked_is_nothing_changed():
    assert not VariationConfig().varies
    np.testing.assert_array_equal(varied(), WINDOWS)


def test_the_dtype_stays():
    assert varied(noise=0.1, offset=0.1, scale=0.1).dtype == np.float32


def test_training_alone_sees_it_and_the_key_decides():
    split = Split(WINDOWS, augment=lambda x, rng: vary(VariationConfig(noise=0.1), x, rng))
    assert split.batch(slice(5)).inputs.base is not None
    first, again, other = (split.training_batch(slice(5), key).inputs for key in ([0, 1], [0, 1], [0, 2]))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(split.batch(slice(5)).inputs, WINDOWS[:5])


def test_a_run_augments_anew_at_each_step():
    config = compose(["task=activity", "preset=smoke", "data.window=9", "data.augment.noise=0.1"])
    data = build.data_set(config)
    training = Training(build.engine(config, data), data, build.plan(config, data))
    first = training.training_batch().inputs
    np.testing.assert_array_equal(first, training.training_batch().inputs)
    training.step += 1
    assert (first != training.training_batch().inputs).any()
