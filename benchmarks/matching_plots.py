"""Draws milliseconds against templates, both logarithmic, as small SVGs, without a library."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_WIDTH, _HEIGHT, _RIM = 640, 400, 64
_COLOURS = {"all": "#1a5fb4", "FAISS flat, tuned": "#c64600", "FAISS Panorama range": "#26a269", "GEMV": "#813d9c"}


def plot(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """One picture for each batch and threshold: ours and the rivals over the sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    for batch, within in sorted({(row["batch"], row["within"]) for row in rows}):
        chosen = [row for row in rows if (row["batch"], row["within"]) == (batch, within)]
        name = f"matching-batch-{batch}-within-{round(100 * within)}.svg"
        (folder / name).write_text(_drawn(chosen, batch, within), encoding="utf-8")


def _drawn(rows: Sequence[dict[str, Any]], batch: int, within: float) -> str:
    lines = {
        name: [(row["templates"], row["milliseconds"][name]) for row in rows if name in row["milliseconds"]]
        for name in _COLOURS
    }
    points = [point for line in lines.values() for point in line]
    sizes, times = zip(*points, strict=True)
    span = (min(sizes), max(sizes) * 1.01), (min(times), max(times) * 1.01)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        ' font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_WIDTH / 2, 22, f"CPU ms a probe, batch {batch}, within {within:.2f} (synthetic, dlib-like)", "middle"),
    ]
    for power in range(math.floor(math.log10(span[1][0])), math.ceil(math.log10(span[1][1])) + 1):
        y = _place(10.0**power, span[1], _HEIGHT - _RIM, 48)
        parts.append(f'<line x1="{_RIM}" x2="{_WIDTH - 16}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(_text(_RIM - 6, y + 4, f"{10.0**power:g}", "end"))
    for size in sorted(set(sizes)):
        parts.append(_text(_place(size, span[0], _RIM, _WIDTH - 32), _HEIGHT - _RIM + 22, f"{size:,}", "middle"))
    for number, (name, line) in enumerate((name, line) for name, line in lines.items() if line):
        places = [(_place(x, span[0], _RIM, _WIDTH - 32), _place(y, span[1], _HEIGHT - _RIM, 48)) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        colour = _COLOURS[name]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
        parts.append(_text(_RIM + 12, 60 + 18 * number, "ours" if name == "all" else name, "start", colour))
    return "\n".join([*parts, "</svg>\n"])


def _place(value: float, span: tuple[float, float], first: float, last: float) -> float:
    share = math.log(value / span[0]) / math.log(span[1] / span[0])
    return first + (last - first) * share


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'
