"""Types of the arguments and results of the functions in ``kernels.c``."""

from __future__ import annotations

import ctypes

POINTER, INT64, FLOAT, INT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float, ctypes.c_int
LOOKUPS = (POINTER, POINTER, INT64, INT64)
MIX = (POINTER, POINTER, INT64, INT64, FLOAT)
GROUPS = (POINTER, INT64, INT64, POINTER)
SIGNATURES = {
    "gather": (INT64, (*LOOKUPS, POINTER, INT64, INT64, POINTER, INT64, POINTER, INT)),
    "sum_rows": (INT64, (*LOOKUPS, POINTER, INT64, INT64, POINTER, POINTER, INT)),
    "adam": (None, (*[POINTER] * 5, INT64, *[FLOAT] * 7, INT)),
    "adam_rows": (INT64, (*[POINTER] * 3, INT64, POINTER, POINTER, INT64, INT64, *[FLOAT] * 7, INT)),
    "mix": (None, (*MIX, POINTER, *[INT64] * 4, INT)),
    "mix_backward": (None, (*MIX, *[POINTER] * 3, *[INT64] * 4, INT)),
    "group_linear": (INT, (*GROUPS, POINTER, FLOAT, POINTER, *[INT64] * 4, INT)),
    "group_linear_backward": (INT, (*GROUPS, POINTER, FLOAT, *[POINTER] * 4, *[INT64] * 4, INT)),
}
