"""Segments looked at several at a time."""

import multiprocessing
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager

from caseload.audit.verify.segment import Examined, Segment, examine


def examined_abreast(found: Iterable[Segment], jobs: int) -> Iterator[tuple[Segment, Examined]]:
    """Look at segments, several at a time, and hand them on in their order."""
    if jobs <= 1 or "fork" not in multiprocessing.get_all_start_methods():
        for segment in found:
            yield segment, examine(segment)
        return
    with _workers(jobs) as pool:
        under_way: deque[tuple[Segment, Future[Examined]]] = deque()
        for segment in found:
            under_way.append((segment, pool.submit(examine, segment)))
            if len(under_way) > 2 * jobs:
                first, future = under_way.popleft()
                yield first, future.result()
        while under_way:
            first, future = under_way.popleft()
            yield first, future.result()


@contextmanager
def _workers(jobs: int) -> Generator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
