"""Threads: parts cover a batch, in order, whatever the number of threads."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import HANGING_S
from threadpoolctl import threadpool_info

from duograd.models.layers.threads import SHARES, Background, Scratch, Threads, map_parts, ordered_sum, shares


@given(st.integers(1, 5000), st.integers(1, 300))
def test_shares_cover_everything_once_in_nearly_equal_parts(n, most):
    parts = shares(n, most)
    assert [i for part in parts for i in range(n)[part]] == list(range(n))
    sizes = {part.stop - part.start for part in parts}
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) % SHARES == 0 or len(parts) == n


@pytest.mark.parametrize("threads", [None, Threads(1), Threads(3)], ids=["nobody", "one", "three"])
def test_results_come_in_order_whoever_is_first(threads):
    def work(i: int, seconds: float) -> int:
        time.sleep(seconds)
        return 10 * i

    assert map_parts(threads, work, range(4), [0.02, 0.01, 0.0, 0.0]) == [0, 10, 20, 30]


def test_a_fault_in_a_part_is_raised():
    with pytest.raises(ZeroDivisionError):
        Threads(2).map(lambda i: 1 // i, [1, 0, 2])


def test_a_helper_without_a_core_is_not_waited_for():
    threads, freed = Threads(2), threading.Event()
    threads._pool.submit(freed.wait)  # keeps the only helper busy
    assert threads.map(lambda i: 10 * i, range(4)) == [0, 10, 20, 30]
    freed.set()


def test_threads_share_the_work():
    """Two jobs that can only end together."""
    both = threading.Barrier(2, timeout=HANGING_S)
    assert len(Threads(2).map(lambda _: both.wait(), range(2))) == 2


def test_the_sum_is_taken_from_the_first_to_the_last():
    assert ordered_sum(np.array([a]) for a in (1e20, -1e20, 1.0)).tolist() == [1.0]


def test_blas_has_one_thread_and_does_not_warn():
    with Threads(2).single_blas_thread():
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}
        assert np.exp(np.float32(100)) == np.inf


def test_as_many_threads_as_cores_unless_told():
    assert Threads().count >= 1
    assert (Threads(3).count, Threads(3, most=2).count, Threads(1, most=2).count) == (3, 2, 1)


@pytest.mark.parametrize("thread", [True, False])
def test_jobs_in_the_background_keep_their_order(thread):
    background, order = Background(thread), []
    background.submit(lambda: time.sleep(0.02) or order.append(0))
    background.submit(order.append, 1)
    background.wait()
    assert order == [0, 1]


def test_what_a_job_in_the_background_raises_comes_out_of_wait():
    background = Background(thread=True)
    background.submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        background.wait()
    background.wait()


def test_scratch_is_used_again_but_never_by_two_at_once():
    scratch = Scratch(list)
    with scratch.borrow() as first, scratch.borrow() as second:
        assert first is not second
    with scratch.borrow() as third:
        assert third is first
