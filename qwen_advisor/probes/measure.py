"""A short read benchmark: how fast all cores together read main memory.

Decoding reads every weight once per token and writes almost nothing, so reads are what counts; a copy would count reads
and writes and say about twice as much. The reader is ``memchr`` of the C library, looking for a byte that is not there:
it is vectorised, and called through ctypes it runs outside the interpreter's lock, so that threads read at once.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
import time

from qwen_advisor.units import MIB

_BUFFER = 256 * MIB  # of each thread; far beyond any cache
_LEAST_BUFFER = 32 * MIB
_MOST_THREADS = 64  # fewer saturate every bus known to the catalogue
_SECONDS = 0.6
_MOST_PASSES = 24
_FILL, _WANTED = 0x55, 0x01


def measured(*, available: int | None = None, threads: int | None = None) -> str:
    """Measure for about a second and return the result as JSON.

    Args:
        available: bytes that may be used, of which a quarter is; what the system calls free if not given.
        threads: how many read at once; all cores that this process may use if not given.

    Raises:
        OSError: there is too little memory to measure with.
    """
    readers = threads or min(_MOST_THREADS, _usable_cores())
    room = available if available is not None else _free_memory()
    size = min(_BUFFER, room // 4 // readers)
    if size < _LEAST_BUFFER:
        raise OSError(f"too little free memory to measure with {readers} threads")
    # Written once, so that every page is a page of its own and not the shared one of zeroes.
    buffers = [bytearray(bytes([_FILL])) * size for _ in range(readers)]
    rates = _passes(buffers, size)
    result = {
        "bytes_per_second": round(sorted(rates)[len(rates) // 2]),
        "best_bytes_per_second": round(max(rates)),
        "threads": readers,
        "buffer_bytes": size,
        "passes": len(rates),
    }
    return json.dumps(result)


def _passes(buffers: list[bytearray], size: int) -> list[float]:
    """Bytes per second of each pass, from the first reader's start to the last one's end.

    The readers look at the clock themselves: this thread may get a core only after they have begun. The median counts,
    as a model reads for minutes and not in the best millisecond.
    """
    library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    search = library.memchr
    search.restype = ctypes.c_void_p
    search.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    addresses = [ctypes.addressof(ctypes.c_char.from_buffer(buffer)) for buffer in buffers]
    barrier = threading.Barrier(len(buffers) + 1)
    going = True
    starts, ends = [0.0] * len(buffers), [0.0] * len(buffers)

    def reader(index: int) -> None:
        while True:
            barrier.wait()
            if not going:
                return
            starts[index] = time.perf_counter()
            search(addresses[index], _WANTED, size)
            ends[index] = time.perf_counter()
            barrier.wait()

    workers = [threading.Thread(target=reader, args=(index,), daemon=True) for index in range(len(buffers))]
    for worker in workers:
        worker.start()
    rates: list[float] = []
    end = time.perf_counter() + _SECONDS
    while len(rates) < _MOST_PASSES and (len(rates) < 3 or time.perf_counter() < end):
        barrier.wait()
        barrier.wait()
        rates.append(size * len(buffers) / (max(ends) - min(starts)))
    going = False
    barrier.wait()
    for worker in workers:
        worker.join()
    return rates


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_memory() -> int:
    import psutil  # noqa: PLC0415  measuring takes a second anyway

    return int(psutil.virtual_memory().available)
