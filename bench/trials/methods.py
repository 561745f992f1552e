"""What a person would do instead: each method looks at a world, pays for what it looks at, and picks an arm.

All of them know the margin and want the cheapest arm that does not lose more; arm 0 is coarse, picked where nothing is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import stats

from replay import ALPHA, SCREEN, World

Array = npt.NDArray[np.float64]
EXHAUSTIVE_BLOCKS = 10


@dataclass(frozen=True)
class Pick:
    """The arm, and the CPU seconds that finding it took."""

    arm: int
    cost: float


@dataclass
class Purse:
    """What was looked at; the same block of the same arm is paid for once."""

    world: World
    paid: dict[tuple[int, int], float] = field(default_factory=dict)

    def losses(self, arm: int, blocks: Iterable[int]) -> Array:
        """Quality of the arm less that of coarse, by block."""
        wanted = [SCREEN + block for block in blocks]
        for one in (arm, 0):
            for block in wanted:
                self.paid[one, block] = float(self.world.cost[one, block].sum())
        quality = self.world.quality
        return np.asarray((quality[arm, wanted] - quality[0, wanted]).mean(axis=1))

    def price(self, arm: int) -> float:
        """The cost of a block of the arm, as far as it was seen."""
        return float(np.mean([cost for (one, _), cost in self.paid.items() if one == arm]))

    def pick(self, accepted: Iterable[int]) -> Pick:
        """The cheapest of `accepted` that is cheaper than coarse."""
        costs = {arm: self.price(arm) for arm in {*accepted, 0}}
        return Pick(min(costs, key=lambda arm: costs[arm]), sum(self.paid.values()))


Judge = Callable[[Array, World], bool]
Method = Callable[[World], Pick]


def by_mean(x: Array, world: World) -> bool:
    """The point estimate: what gates of ML platforms do."""
    return float(x.mean()) >= -world.margin


def by_t_test(x: Array, world: World) -> bool:
    """A one-sided t-test at 5 % of a fixed number of blocks."""
    return _p_value(x, world) <= ALPHA


def by_bonferroni(x: Array, world: World) -> bool:
    """The same at 5 % over all arms."""
    return _p_value(x, world) <= ALPHA / (len(world.grid.arms) - 1)


def exhaustive(judge: Judge) -> Method:
    """Every arm, ten blocks."""
    return lambda world: _of(world, range(1, len(world.grid.arms)), EXHAUSTIVE_BLOCKS, judge)


def random_search(count: int, blocks: int, judge: Judge) -> Method:
    """So many arms by chance, so many blocks each."""

    def method(world: World) -> Pick:
        random = np.random.default_rng(world.seed())
        arms = 1 + random.permutation(len(world.grid.arms) - 1)[:count]
        return _of(world, arms.tolist(), blocks, judge)

    return method


def tpe(count: int, blocks: int, judge: Judge) -> Method:
    """Optuna's TPE on two objectives, quality and cost; of what it tried the cheapest that the judge lets pass."""

    def method(world: World) -> Pick:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        purse, tried = Purse(world), set[int]()
        place = {arm: i for i, arm in enumerate(world.grid.arms)}

        def objective(trial: optuna.Trial) -> tuple[float, float]:
            levels = world.grid.stages().items()
            arm = place[tuple(str(trial.suggest_categorical(name, found)) for name, found in levels)]
            tried.add(arm)
            x = purse.losses(arm, range(blocks))
            return float(x.mean()), purse.price(arm)

        sampler = optuna.samplers.TPESampler(seed=world.seed())
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
        study.optimize(objective, n_trials=count)
        return purse.pick(arm for arm in tried if arm and judge(purse.losses(arm, range(blocks)), world))

    return method


def halving(world: World) -> Pick:
    """Successive halving, a third each time, after 1, 3 and 9 blocks: first what keeps the margin, by its cost."""
    purse = Purse(world)
    left = list(range(1, len(world.grid.arms)))
    for blocks in (1, 3, 9):
        means = {arm: float(purse.losses(arm, range(blocks)).mean()) for arm in left}
        kept = [arm for arm in left if means[arm] >= -world.margin]
        lost = sorted((arm for arm in left if arm not in kept), key=lambda arm: -means[arm])
        if blocks == 9:
            return purse.pick(kept)
        left = [*sorted(kept, key=purse.price), *lost][: max(1, len(left) // 3)]
    return purse.pick([])


METHODS: dict[str, Method] = {
    "exhaustive, 10 blocks, means": exhaustive(by_mean),
    "exhaustive, 10 blocks, t-tests": exhaustive(by_t_test),
    "exhaustive, t-tests, Bonferroni": exhaustive(by_bonferroni),
    "random 32 x 5 blocks, means": random_search(32, 5, by_mean),
    "random 32 x 5 blocks, t-tests": random_search(32, 5, by_t_test),
    "Optuna TPE 48 x 3 blocks, means": tpe(48, 3, by_mean),
    "Optuna TPE 48 x 3 blocks, t-tests": tpe(48, 3, by_t_test),
    "successive halving, means": halving,
}


def _of(world: World, arms: Iterable[int], blocks: int, judge: Judge) -> Pick:
    purse = Purse(world)
    return purse.pick([arm for arm in arms if judge(purse.losses(arm, range(blocks)), world)])


def _p_value(x: Array, world: World) -> float:
    if np.ptp(x) < 1e-12:
        return 0.0 if x.mean() >= -world.margin else 1.0
    return float(stats.ttest_1samp(x, -world.margin, alternative="greater").pvalue)
