"""Principal components against values worked out by hand and NumPy's SVD."""

import numpy as np
import pytest

from duograd.runner.plots.pca import pca_error, pca_reconstruction

RTOL = 1e-9  # float64, sums of some thousand terms and an eigenvalue problem of well separated values


def test_pca_by_hand() -> None:
    data = np.array([[1.0, 2.0], [3.0, 2.0], [1.0, 2.2], [3.0, 1.8]])  # the second axis varies little
    centred = data - [2, 2]
    values, vectors = np.linalg.eigh(np.array([[1.0, -0.1], [-0.1, 0.02]]))  # the population covariance, by hand
    expected = [2, 2] + centred @ np.outer(vectors[:, 1], vectors[:, 1])
    np.testing.assert_allclose(pca_reconstruction(data, data, 1), expected, rtol=RTOL)
    assert pca_error(data, 1) == pytest.approx(values[0] / 2, rel=RTOL)


@pytest.mark.parametrize("components", [0, 1, 5, 11])
def test_pca_agrees_with_svd_and_with_the_eigenvalues_left_out(components: int) -> None:
    rng = np.random.default_rng(1)
    data = 100 + rng.standard_normal((5000, 12)) @ rng.standard_normal((12, 12))  # more rows than one chunk
    mean = data.mean(0)
    u, s, vt = np.linalg.svd(data - mean, full_matrices=False)
    expected = mean + (u[:7, :components] * s[:components]) @ vt[:components]
    np.testing.assert_allclose(pca_reconstruction(data, data[:7], components), expected, rtol=RTOL)
    assert pca_error(data, components) == pytest.approx((s[components:] ** 2).sum() / 5000 / 2, rel=RTOL)


def test_pca_of_float32_sums_in_float64() -> None:
    data = (1000 + np.random.default_rng(2).standard_normal((6000, 3))).astype(np.float32)
    assert pca_error(data, 1) == pytest.approx(pca_error(data.astype(np.float64), 1), rel=1e-12)


def test_pca_with_all_components_is_exact() -> None:
    data = np.random.default_rng(3).random((5, 4)).astype(np.float32)
    np.testing.assert_array_equal(pca_reconstruction(data, data, 4), data)
    assert pca_error(data, 9) == 0
    assert pca_error(np.ones((1, 4)), 2) == 0  # one sample is its own mean
    with pytest.raises(ValueError, match="components is -1"):
        pca_error(data, -1)
