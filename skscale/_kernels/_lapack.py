"""QR factorization of rows under a triangle, by LAPACK, in place and without holding the GIL."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from scipy import LowLevelCallable
from scipy.linalg import cython_lapack

from skscale._kernels._exact import Array


def _routine(name: str, n_arguments: int) -> Any:
    """A LAPACK routine of SciPy as a function of addresses, during which other threads run.

    The wrappers in `scipy.linalg.lapack` hold the GIL; what they wrap does not need it.
    """
    capsule = LowLevelCallable.from_cython(cython_lapack, name).function
    get_name = ctypes.pythonapi.PyCapsule_GetName
    get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address = get_pointer(capsule, get_name(capsule))
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * n_arguments)(address)


_dtpqrt = _routine("dtpqrt", 12)


def absorb(triangle: Array, rows: Array, n_triangular: int = 0) -> None:
    """Replace an upper triangular matrix by the R of itself on top of some rows.

    Parameters
    ----------
    triangle : array of shape (n_columns, n_columns), float64, columns contiguous
        What is below its diagonal is not looked at.
    rows : array of shape (n_rows, n_columns), float64, columns contiguous
        Overwritten.
    n_triangular : int, default=0
        Last rows that are themselves upper triangular, so that half of the work is not needed.
    """
    n_rows, n_columns = rows.shape
    if min(rows.shape) == 0:
        return
    panel = min(n_columns, max(8, min(n_columns // 16, 32)))
    reflectors, work = np.empty((n_columns, panel)), np.empty((n_columns, panel))
    apart = [max(len(array), array.strides[1] // array.itemsize) for array in (triangle, rows)]
    m, n, triangular, width, lda, ldb, info = (
        ctypes.byref(ctypes.c_int(value))
        for value in (n_rows, n_columns, n_triangular, panel, *apart, 0)
    )
    a, b, t, w = (array.ctypes.data for array in (triangle, rows, reflectors, work))
    _dtpqrt(m, n, triangular, width, a, lda, b, ldb, t, width, w, info)
