"""What one call of a worker may change, and the next must not see: directory, environment, seeds."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from types import TracebackType


class Kept:
    """Works in `out` with fresh seeds; afterwards the directory and the environment are as they were."""

    def __init__(self, out: Path | None, seed: int) -> None:
        self.out = out
        self.seed = seed

    @staticmethod
    def begin(seed: int) -> None:
        """Seeds the generators that programs share, so that a worker's tenth call draws what its first would."""
        random.seed(seed)
        if numpy := sys.modules.get("numpy"):
            numpy.random.seed(seed % 2**32)

    def __enter__(self) -> None:
        self.home = Path.cwd()
        self.environment = dict(os.environ)
        if self.out is not None:
            os.chdir(self.out)
        self.begin(self.seed)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.chdir(self.home)
        if os.environ != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
