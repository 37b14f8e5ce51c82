"""Matrix products in blocks so small that the library underneath starts no threads for them.

Products of some megaflops gain little from threads and lose much where the cores are busy growing runs; in
blocks they also come out the same whatever the number of cores.
"""

from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["product"]

Number = TypeVar("Number", np.float32, np.float64)
_BLOCK: Final = 2**18
"""Multiplications that OpenBLAS still makes in one thread (its matrix products)."""
_VECTOR: Final = 2**13
"""The same for a matrix and a vector."""


def product(a: NDArray[Number], b: NDArray[Number]) -> NDArray[Number]:
    """``a @ b`` of a matrix and a matrix or vector."""
    each = (_VECTOR if b.ndim == 1 else _BLOCK) // max(1, b.size)
    rows = max(1, min(each, len(a)))
    whole = len(a) // rows * rows
    blocks = a[:whole].reshape(-1, rows, a.shape[1])
    found = np.matmul(blocks, b).reshape(whole, *b.shape[1:])
    return np.concatenate([found, a[whole:] @ b]) if whole < len(a) else found
