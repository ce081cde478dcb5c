from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from gatewise.data.parallel import ROWS_WORTH_THREADS, in_parallel


@pytest.fixture
def four_threads():
    before = pa.cpu_count()
    pa.set_cpu_count(4)
    yield
    pa.set_cpu_count(before)


@pytest.mark.usefixtures("four_threads")
def test_results_stand_in_the_order_of_the_items():
    last_is_done = threading.Event()

    def work(item):
        if item == 3:
            last_is_done.set()
        # with fewer threads than items the others would wait for nothing
        assert last_is_done.wait(timeout=10)
        return item * item

    assert in_parallel(work, range(4), ROWS_WORTH_THREADS) == [0, 1, 4, 9]


@pytest.mark.usefixtures("four_threads")
def test_the_first_items_error_is_raised_even_if_a_later_one_fails_before():
    second_has_failed = threading.Event()

    def work(item):
        if item == 1:
            assert second_has_failed.wait(timeout=10)
        if item == 2:
            second_has_failed.set()
        if item:
            raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 1"):
        in_parallel(work, range(4), ROWS_WORTH_THREADS)


@pytest.mark.usefixtures("four_threads")
def test_a_short_table_starts_no_thread():
    found = in_parallel(lambda item: threading.current_thread(), range(4), ROWS_WORTH_THREADS - 1)
    assert set(found) == {threading.current_thread()}


@pytest.mark.usefixtures("four_threads")
def test_arrow_says_how_many_threads_there_are():
    pa.set_cpu_count(1)
    found = in_parallel(lambda item: threading.current_thread(), range(4), ROWS_WORTH_THREADS)
    assert set(found) == {threading.current_thread()}


def test_no_items():
    assert in_parallel(len, [], ROWS_WORTH_THREADS) == []
