"""The report of a backtest as one HTML file: inline style and SVG, no script, nothing loaded, every text escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from kairos.desk.records.backtest import BacktestDetectorOut, BacktestExampleOut, BacktestOut
from kairos.desk.units import count, number
from kairos.domain import inert

MARK = b"<!-- kairos backtest -->"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root{color-scheme:light dark;--ink:#1c2330;--dim:#687182;--line:#d9dee7;--done:#2f8f5b;--left:#c4473a;--rest:#9aa3b2;
--back:#fff}@media(prefers-color-scheme:dark){:root{--ink:#e4e8ef;--dim:#98a2b3;--line:#333b49;--back:#151a22}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:62rem;margin:2rem auto;
padding:0 1rem}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--dim);font-weight:500}.n{text-align:right;font-variant-numeric:tabular-nums}.dim{color:var(--dim)}
.done{color:var(--done)}.left{color:var(--left)}code{font-size:.9em}svg{width:100%;height:auto}
svg text{fill:var(--dim);font:11px system-ui,sans-serif}.b-done{fill:var(--done)}.b-left{fill:var(--left)}
.b-rest{fill:var(--rest)}.axis{stroke:var(--line)}.mark{stroke:var(--ink);stroke-width:2}
"""
_MOST = 500
_LABELS = {"done": "done", "left": "left", "moot": "taken back", "unknown": "too early to tell"}


def page(found: BacktestOut) -> str:
    """The whole page."""
    judged = [p for p in found.proposals if p.label in ("done", "left")]
    done = sum(p.label == "done" for p in judged)
    parts = [
        "<!doctype html>", MARK.decode(), '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>Backtest of {_text(found.repo)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>Backtest of {_text(found.repo)}</h1>",
        f"<p>{count(found.commits, 'commit')} on {count(found.days, 'day')}, {found.first[:10]} to {found.last[:10]}, "
        f"replayed as if live at <code>{_text(found.head[:12])}</code>. Kairos would have raised "
        f"{number(len(found.proposals))} and told {number(found.delivered)}, at most {found.busiest_day} a day. People "
        f"did {number(done)} of the {number(len(judged))} that can be judged within {found.horizon} commits.</p>",
        "<h2>Detectors</h2>", _table(found.detectors),
        '<p class="dim">Precision: done of done and left, with its 95 % interval (Wilson). Anyway: how often such '
        "files change within as many commits without a finding.</p>",
        "<h2>Precision beside the base rate</h2>", _precisions(found.detectors),
        "<h2>Raised by month</h2>", _months(found.proposals),
        "<h2>Commits until it was done</h2>", _delays(found.proposals, found.horizon),
        "<h2>Every proposal</h2>", _proposals(found.proposals), "</body></html>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _text(text: str) -> str:
    """Text of a repository, inert and escaped."""
    return escape(inert.escape(text))


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _table(detectors: Sequence[BacktestDetectorOut]) -> str:
    head = ("raised", "per 100 commits", "a day", "done", "left", "taken back", "too early", "precision", "anyway")
    rows = [f"<tr><th>detector</th>{''.join(f'<th class=n>{h}</th>' for h in head)}</tr>"]
    for d in detectors:
        precision = _share(d.precision) + (f" ({_share(d.low)}–{_share(d.high)})" if d.precision is not None else "")
        cells = (
            number(d.raised), f"{d.per_100_commits:.2f}", f"{d.per_day:.2f}", number(d.done), number(d.left),
            number(d.moot), number(d.unknown), precision, _share(d.base_rate if d.precision is not None else None),
        )  # fmt: skip
        name = _text(d.detector) + ("" if d.state == "on" else f' <span class="dim">({d.state})</span>')
        rows.append(f"<tr><td>{name}</td>{''.join(f'<td class=n>{c}</td>' for c in cells)}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _precisions(detectors: Sequence[BacktestDetectorOut]) -> str:
    """A line a detector: the interval as a bar, the share as a stroke, the base rate as a dot."""
    shown = [d for d in detectors if d.precision is not None]
    if not shown:
        return '<p class="dim">Nothing can be judged yet.</p>'
    left, width, high = 160, 500, 26 * len(shown) + 24
    out = [f'<svg viewBox="0 0 700 {high}" role="img" aria-label="precision and base rate of each detector">']
    for tick in (0, 25, 50, 75, 100):
        x = left + width * tick / 100
        out.append(f'<line class="axis" x1="{x}" x2="{x}" y1="0" y2="{high - 20}"/>')
        out.append(f'<text x="{x}" y="{high - 6}" text-anchor="middle">{tick} %</text>')
    for row, d in enumerate(shown):
        y, low, top, share = 26 * row + 13, d.low or 0.0, d.high or 0.0, d.precision or 0.0
        out.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{_text(d.detector)}</text>')
        out.append(
            f'<rect class="b-done" opacity=".35" x="{left + width * low:.1f}" y="{y - 6}" '
            f'width="{max(1.0, width * (top - low)):.1f}" height="12"/>'
        )
        x = left + width * share
        out.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 8}" y2="{y + 8}"/>')
        out.append(f'<circle class="b-rest" cx="{left + width * d.base_rate:.1f}" cy="{y}" r="4"/>')
    return "".join([*out, "</svg>", '<p class="dim">Bar: interval; stroke: precision; dot: base rate.</p>'])


def _months(proposals: Sequence[BacktestExampleOut]) -> str:
    months = sorted({p.at[:7] for p in proposals})
    if not months:
        return '<p class="dim">Nothing was raised.</p>'
    counts = Counter((p.at[:7], p.label if p.label in ("done", "left") else "rest") for p in proposals)
    stacks = [(m, [(kind, counts[m, kind]) for kind in ("done", "left", "rest")]) for m in months]
    return _bars(stacks, "proposals raised in each month, by what became of them")


def _delays(proposals: Sequence[BacktestExampleOut], horizon: int) -> str:
    after = Counter(p.after for p in proposals if p.label == "done")
    if not after:
        return '<p class="dim">Nothing was done yet.</p>'
    return _bars(
        [(str(n), [("done", after[n])]) for n in range(1, min(horizon, 60) + 1)], "proposals by commits until done"
    )


def _bars(stacks: Sequence[tuple[str, Sequence[tuple[str, int]]]], label: str) -> str:
    """Stacked columns with the names of some of them below."""
    most = max((sum(n for _, n in stack) for _, stack in stacks), default=1) or 1
    step = 660 / len(stacks)
    out = [f'<svg viewBox="0 0 700 160" role="img" aria-label="{escape(label)}">']
    out.append(f'<text x="2" y="14">{most}</text><line class="axis" x1="30" x2="690" y1="130" y2="130"/>')
    every = max(1, len(stacks) // 8)
    for at, (name, stack) in enumerate(stacks):
        x, y = 30 + step * at, 130.0
        for kind, value in stack:
            high = 120 * value / most
            y -= high
            if value:
                out.append(
                    f'<rect class="b-{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(1.0, step * 0.8):.1f}" '
                    f'height="{high:.1f}"><title>{_text(name)}: {value} {kind}</title></rect>'
                )
        if at % every == 0:
            out.append(f'<text x="{x:.1f}" y="148">{_text(name)}</text>')
    return "".join([*out, "</svg>"])


def _proposals(proposals: Sequence[BacktestExampleOut]) -> str:
    rows = ["<tr><th>when</th><th>commit</th><th>detector</th><th>what</th><th>became</th></tr>"]
    for p in sorted(proposals, key=lambda p: p.at, reverse=True)[:_MOST]:
        became = _LABELS[p.label] + (f" after {count(p.after, 'commit')} in {_text(p.by[:10])}" if p.by else "")
        rows.append(
            f"<tr><td>{p.at[:10]}</td><td><code>{_text(p.commit[:10])}</code></td><td>{_text(p.detector)}</td>"
            f'<td>{_text(p.title)}<br><span class="dim">{_text(p.claim)}</span></td>'
            f'<td class="{p.label}">{became}</td></tr>'
        )
    more = len(proposals) - _MOST
    note = f'<p class="dim">and {number(more)} earlier ones</p>' if more > 0 else ""
    return f"<table>{''.join(rows)}</table>{note}"
