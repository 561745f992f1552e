"""Indicators of a price series, each known at the close of its own bar: nothing looks ahead.

Formulas as in common use; RSI, MACD and Bollinger bands after Murphy, Technical Analysis of the Financial Markets.
Every expression is to be evaluated within one series, in the order of time.
"""

from __future__ import annotations

import polars as pl

WINDOWS = (5, 10, 20)
RSI_BARS = 14
LONGEST = max(WINDOWS)
"""So many bars of the past the longest indicator needs."""


def lagged_returns(price: str, lags: int) -> list[pl.Expr]:
    """Returns of the last `lags` bars, the latest first: `return_1` is that of the bar itself."""
    change = _change(price)
    return [change.shift(lag - 1).alias(f"return_{lag}") for lag in range(1, lags + 1)]


def technical(price: str, highs: str | None, lows: str | None) -> list[pl.Expr]:
    """Momentum, volatility and place in the range over 5, 10 and 20 bars, RSI, MACD; ranges where high and low are."""
    close, change = pl.col(price), _change(price)
    found: list[pl.Expr] = []
    for bars in WINDOWS:
        mean, spread = close.rolling_mean(bars), close.rolling_std(bars)
        low, high = close.rolling_min(bars), close.rolling_max(bars)
        found += [
            _safe(close, close.shift(bars)).sub(1).alias(f"momentum_{bars}"),
            change.rolling_std(bars).alias(f"volatility_{bars}"),
            _safe(close - mean, spread).alias(f"zscore_{bars}"),
            _safe(close - low, high - low).alias(f"place_in_range_{bars}"),
            (change > 0).cast(pl.Float64).rolling_mean(bars).alias(f"share_up_{bars}"),
        ]
    found += [_rsi(close), _macd(close), _safe(change.rolling_std(5), change.rolling_std(20)).alias("volatility_ratio")]
    if highs and lows:
        width = _safe(pl.col(highs) - pl.col(lows), close)
        found += [
            width.alias("bar_range"),
            width.rolling_mean(10).alias("bar_range_10"),
            _safe(close - pl.col(lows), pl.col(highs) - pl.col(lows)).alias("close_in_bar"),
        ]
    return found


def up_next(price: str, horizon: int) -> pl.Expr:
    """`up` where the price `horizon` bars later is higher, `down` where it is not, null at the end of the series."""
    later = pl.col(price).shift(-horizon)
    return pl.when(later > pl.col(price)).then(pl.lit("up")).when(later.is_not_null()).then(pl.lit("down"))


def _change(price: str) -> pl.Expr:
    return pl.col(price) / pl.col(price).shift(1) - 1


def _safe(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below.abs() > 1e-12).then(above / below).otherwise(0.0)


def _rsi(close: pl.Expr) -> pl.Expr:
    move = close.diff()
    gain = move.clip(lower_bound=0).ewm_mean(alpha=1 / RSI_BARS, min_samples=RSI_BARS)
    loss = (-move).clip(lower_bound=0).ewm_mean(alpha=1 / RSI_BARS, min_samples=RSI_BARS)
    return _safe(gain, gain + loss).alias(f"rsi_{RSI_BARS}")


def _macd(close: pl.Expr) -> pl.Expr:
    line = close.ewm_mean(span=12, min_samples=12) - close.ewm_mean(span=26, min_samples=12)
    return _safe(line - line.ewm_mean(span=9), close).alias("macd")
