"""The one thread in which torch computes: chats, embeddings and loading take turns there, a step or a batch at a time.

OpenMP keeps a pool of threads for each thread that computes. With more pools than processors it no longer waits for
work actively, and everything takes twice as long, even on the thread that came first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_NAME = "rolecall-torch"
_EXECUTOR = ThreadPoolExecutor(1, thread_name_prefix=_NAME)


def submit(work: Callable[[], T]) -> Future[T]:
    """Have something computed when its turn comes. It should not take long: others wait."""
    return _EXECUTOR.submit(work)


def compute(work: Callable[[], T]) -> T:
    """Have something computed, and wait for it. Raises what it raises."""
    if threading.current_thread().name.startswith(_NAME):
        return work()
    return submit(work).result()
