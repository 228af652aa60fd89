"""Lanes: shares cover a batch, in order, whatever the number of threads."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from duograd.models.layers.lanes import SHARES, Lanes, in_order, over, shares


@given(st.integers(1, 5000), st.integers(1, 300))
def test_shares_cover_everything_once_in_nearly_equal_parts(n, most):
    parts = shares(n, most)
    assert [i for part in parts for i in range(n)[part]] == list(range(n))
    sizes = {part.stop - part.start for part in parts}
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) % SHARES == 0 or len(parts) == n


@pytest.mark.parametrize("workers", [None, Lanes(1), Lanes(3)], ids=["nobody", "one", "three"])
def test_results_come_in_order_whoever_is_first(workers):
    def work(i: int, seconds: float) -> int:
        time.sleep(seconds)
        return 10 * i

    assert over(workers, work, range(4), [0.02, 0.01, 0.0, 0.0]) == [0, 10, 20, 30]


def test_a_fault_in_a_lane_is_raised():
    with pytest.raises(ZeroDivisionError):
        Lanes(2).map(lambda i: 1 // i, [1, 0, 2])


def test_a_helper_without_a_core_is_not_waited_for():
    lanes, freed = Lanes(2), threading.Event()
    lanes._pool.submit(freed.wait)  # keeps the only helper busy
    assert lanes.map(lambda i: 10 * i, range(4)) == [0, 10, 20, 30]
    freed.set()


def test_threads_share_the_work():
    """Two jobs that can only end together."""
    both = threading.Barrier(2, timeout=20)
    assert len(Lanes(2).map(lambda _: both.wait(), range(2))) == 2


def test_the_sum_is_taken_from_the_first_to_the_last():
    assert in_order(np.array([a]) for a in (1e20, -1e20, 1.0)).tolist() == [1.0]


def test_calm_gives_blas_one_thread():
    with Lanes(2).calm():
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}


def test_as_many_threads_as_cores_unless_told():
    assert Lanes().threads >= 1
    assert Lanes(3).threads == 3
