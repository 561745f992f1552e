"""The numbers that the tests of the module Trials are held to, by scipy and numeric integration.

`python exact.py > exact.json`. Nothing here shares code with the agent: `log_e` is the closed form as it is published,
`integrated` the mixture itself (Wang and Ramdas, arXiv 2310.03722), with V in place of the sum of squares.
"""

import json
import math

import numpy as np
from scipy import special, stats


def log_e(z: np.ndarray, floor: float) -> float:
    """Log E in closed form."""
    n = len(z)
    s = z.sum()
    v = (z * z).sum() + n * floor**2
    u = s * math.sqrt(n) / math.sqrt((n + 1) * v - s * s)
    cdf = stats.t.logcdf(u, n) if u > -30 else math.log(special.stdtr(float(n), u))
    return math.log(2) + 0.5 * math.log(1 / (n + 1)) + 0.5 * n * math.log(v / (v - s * s / (n + 1))) + float(cdf)


def integrated(z: np.ndarray, floor: float) -> float:
    """Log of the mean likelihood ratio over effects g ~ N+(0, 1) with the right Haar prior of the scale."""
    n = len(z)
    v = (z * z).sum() + n * floor**2
    r = z.sum() / math.sqrt(v)
    g, weight_g = pieces(0, 14, 60)
    w, weight_w = pieces(0, 60, 200)
    exponent = -0.5 * (w[None, :] ** 2 - 2 * r * g[:, None] * w[None, :] + n * g[:, None] ** 2)
    inner = np.exp(exponent) * w[None, :] ** (n - 1) @ weight_w
    top = (2 * stats.norm.pdf(g) * inner) @ weight_g
    below = (w ** (n - 1) * np.exp(-0.5 * w * w)) @ weight_w
    return math.log(top / below)


def pieces(low: float, high: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights of Gauss and Legendre with 20 points in each of some pieces."""
    x, weight = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(low, high, count + 1)
    half = (edges[1:] - edges[:-1]) / 2
    points = (edges[:-1] + half)[:, None] + half[:, None] * x
    return points.ravel(), (half[:, None] * weight).ravel()


def main() -> None:
    """Print everything as one JSON object."""
    random = np.random.default_rng(20261121)
    cases = []
    for n in (1, 2, 3, 5, 8, 13, 30, 100, 365):
        for mean, deviation, floor in (
            (0.0, 1.0, 0.0),
            (0.01, 0.006, 0.0025),
            (-0.01, 0.006, 0.0025),
            (0.01, 0.0, 0.0025),
            (-3.0, 1.0, 0.25),
            (1000.0, 0.5, 0.0),
        ):
            z = random.normal(mean, deviation, n) if deviation else np.full(n, mean)
            if n == 1 and floor == 0:
                continue
            if n > 1 and floor == 0 and mean == 1000.0 and n > 30:
                continue
            case = {"z": z.tolist(), "floor": floor, "logE": log_e(z, floor)}
            if n in (2, 3, 5, 8) and mean not in {1000.0, -3.0}:
                case["integrated"] = integrated(z, floor)
            cases.append(case)
    table = [
        {"t": t, "freedom": nu, "cdf": float(special.stdtr(float(nu), t))}
        for nu in (1, 2, 3, 4, 7, 10, 31, 100, 365, 1000)
        for t in (-30.0, -8.0, -3.0, -1.0, -0.5, -1e-3, 0.0, 1e-2, 0.1, 0.7, 1.0, 2.0, 5.0, 12.0, 40.0)
    ]
    quantiles = [{"share": p, "z": float(stats.norm.ppf(p))} for p in (1e-9, 0.01, 0.05, 0.5, 0.8, 0.95, 0.999)]
    print(json.dumps({"e": cases, "t": table, "normal": quantiles}))


main()
