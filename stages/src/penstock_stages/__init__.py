"""Penstock's stage kit: programs that read one JSON object and write one.

Importing the package fixes the number of threads, before any numeric library starts its own pools: one thread by
default, so that results do not depend on the machine; `PENSTOCK_THREADS` asks for more.
"""

import os
import sys
from pathlib import Path

__version__ = "1.0.0"

THREADS = max(1, int(os.environ.get("PENSTOCK_THREADS") or 1))

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(_pool, str(THREADS))
# matplotlib keeps its font list there (setup.sh has made it); HOME may not be writable
os.environ.setdefault("MPLCONFIGDIR", str(Path(sys.prefix) / "matplotlib"))
