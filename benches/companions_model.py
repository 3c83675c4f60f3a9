"""A logistic model of cases, calibrated and judged on later and on other histories. Pure, without dependencies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import exp
from typing import NamedTuple

from kairos.domain.hindsight import wilson

OLDER, NEWER = 0.5, 0.7
"""Until where in a history the model learns, and from where on it is judged; it is calibrated between."""
WANTED = 0.7
RARE = 0.5
"""A file that changes within the horizon at most this often anyway: to name it says something."""
_ROUNDS, _RIDGE, _MOST = 12, 1.0, 40_000


class Case(NamedTuple):
    """A file that was left out: of which repository, when (0 the oldest commit walked, 1 the newest), what was known,
    how likely it changed anyway, the learner's confidence, and whether it followed."""

    repository: str
    when: float
    values: tuple[float, ...]
    base: float
    confidence: float
    right: bool


class Logistic(NamedTuple):
    """Weights of standardized values; the first is the intercept."""

    means: list[float]
    scales: list[float]
    weights: list[float]

    def score(self, values: Sequence[float]) -> float:
        """The probability before calibration."""
        total = self.weights[0] + sum(
            w * (v - m) / s for w, v, m, s in zip(self.weights[1:], values, self.means, self.scales, strict=True)
        )
        return 1 / (1 + exp(-max(-30.0, min(30.0, total))))


def fit(cases: Sequence[Case]) -> Logistic:
    """The weights with the highest penalized likelihood, by Newton's method."""
    step = max(1, len(cases) // _MOST)
    cases = cases[::step]
    columns = list(zip(*(c.values for c in cases), strict=True))
    means = [sum(col) / len(col) for col in columns]
    scales = [
        max(1e-6, (sum((v - m) ** 2 for v in col) / len(col)) ** 0.5) for col, m in zip(columns, means, strict=True)
    ]
    rows = [[1.0, *((v - m) / s for v, m, s in zip(c.values, means, scales, strict=True))] for c in cases]
    size = len(rows[0])
    weights = [0.0] * size
    for _ in range(_ROUNDS):
        slope = [-_RIDGE * w if i else 0.0 for i, w in enumerate(weights)]
        bend = [[_RIDGE if i == j and i else 0.0 for j in range(size)] for i in range(size)]
        for row, case in zip(rows, cases, strict=True):
            p = 1 / (1 + exp(-max(-30.0, min(30.0, sum(w * x for w, x in zip(weights, row, strict=True))))))
            off, spread = case.right - p, p * (1 - p)
            for i, x in enumerate(row):
                slope[i] += off * x
                line, part = bend[i], spread * x
                for j in range(i + 1):
                    line[j] += part * row[j]
        for i in range(size):
            for j in range(i):
                bend[j][i] = bend[i][j]
        move = solved(bend, slope)
        weights = [w + m for w, m in zip(weights, move, strict=True)]
        if max(map(abs, move)) < 1e-6:
            break
    return Logistic(means, scales, weights)


def solved(matrix: list[list[float]], right: Sequence[float]) -> list[float]:
    """The solution of a system of linear equations, by Gauss's elimination with pivots."""
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        best = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[best] = rows[best], rows[i]
        for r in range(i + 1, size):
            share = rows[r][i] / rows[i][i]
            rows[r] = [a - share * b for a, b in zip(rows[r], rows[i], strict=True)]
    found = [0.0] * size
    for i in reversed(range(size)):
        rest = sum(rows[i][j] * found[j] for j in range(i + 1, size))
        found[i] = (rows[i][size] - rest) / rows[i][i]
    return found


def isotonic(scored: Sequence[tuple[float, bool]]) -> Callable[[float], float]:
    """The monotone calibration of scores (pool adjacent violators; Zadrozny and Elkan, KDD 2002)."""
    blocks: list[list[float]] = []  # [sum of right, number, highest score]
    for score, right in sorted(scored):
        blocks.append([float(right), 1.0, score])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1] = [blocks[-1][0] + last[0], blocks[-1][1] + last[1], last[2]]
    ends = [(high, total / number) for total, number, high in blocks]

    def calibrated(score: float) -> float:
        return next((share for high, share in ends if score <= high), ends[-1][1] if ends else 0.0)

    return calibrated


def report(every: Sequence[Case], names: Sequence[str]) -> str:
    """The figures, as text."""
    repositories = sorted({c.repository for c in every})
    others = set(repositories[::3])
    known = [c for c in every if c.repository not in others]
    model = fit([c for c in known if c.when < OLDER])
    between = [c for c in known if OLDER <= c.when < NEWER]
    sure = isotonic([(model.score(c.values), c.right) for c in between])
    out = [
        f"{len(every)} cases of {len(repositories)} repositories, {len(others)} of them never learned from",
        "weights: " + ", ".join(f"{n} {w:+.2f}" for n, w in zip(("all", *names), model.weights, strict=True)),
    ]
    for title, judged in (
        ("newest part, other repositories", [c for c in every if c.repository in others and c.when >= NEWER]),
        ("newest part, the same ones", [c for c in known if c.when >= NEWER]),
    ):
        told = [(c, sure(model.score(c.values))) for c in judged]
        out.append(f"{title}: {len(judged)} cases")
        out.append("  " + _line("as the learner has them, 70 % on", [c for c in judged if c.confidence >= WANTED]))
        out.append("  " + _line("predicted 70 % on", [c for c, p in told if p >= WANTED]))
        rare = [(c, p) for c, p in told if c.base <= RARE]
        out.append(
            "  " + _line(f"of these with a base rate of at most {RARE:.0%}", [c for c, p in rare if p >= WANTED])
        )
        for low, high in pairwise((0.0, 0.2, 0.4, 0.6, 0.8, 1.01)):
            some = [c for c, p in told if low <= p < high]
            out.append("  " + _line(f"predicted {low:.0%} to {min(1.0, high):.0%}", some))
    return "\n".join(out)


def _line(what: str, cases: Sequence[Case]) -> str:
    found = wilson(sum(c.right for c in cases), len(cases))
    if found is None:
        return f"{what}: none"
    anyway = sum(c.base for c in cases) / len(cases)
    return f"{what}: right {found.share:.0%} ({found.low:.0%}–{found.high:.0%}, n={len(cases)}), anyway {anyway:.0%}"
