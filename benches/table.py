"""How a measurement is printed: what, unit, peer, ours, ratio. Above 1 ours is the better one."""

from __future__ import annotations

from collections.abc import Iterable

Row = tuple[str, str, float, float, float]


def show(rows: Iterable[Row], *, head: bool = True) -> None:
    """Prints rows as an aligned table."""
    if head:
        print(f"{'what':<52} {'unit':>12} {'peer':>12} {'ours':>12} {'ratio':>8}")
    for what, unit, peer, ours, ratio in rows:
        print(f"{what:<52} {unit:>12} {number(peer):>12} {number(ours):>12} {ratio:>7.2f}×", flush=True)


def number(value: float) -> str:
    """Three telling digits: 12 345, 12.3, 0.123."""
    return f"{value:,.0f}".replace(",", " ") if value >= 100 else f"{value:.3g}"
