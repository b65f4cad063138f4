"""Draws CPU against cameras as a small SVG, without a library."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

_WIDTH, _HEIGHT, _RIM = 640, 400, 56
_COLOURS = ("#1a5fb4", "#c64600", "#26a269")


def plot(rows: Sequence[dict[str, Any]], target: Path) -> None:
    """One line a scene: CPU of the vision children in per cent of a core, by cameras."""
    most_x = max(row["cameras"] for row in rows)
    most_y = max(200.0, *(row["vision_cpu_percent"] for row in rows))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"',
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_WIDTH / 2, 22, "Vision children: CPU by cameras (720p25, 5 looks a second, two cores)", "middle"),
        _text(_WIDTH / 2, _HEIGHT - 10, "cameras", "middle"),
    ]
    for share in (0, 50, 100, 150, 200):
        y = _y(share, most_y)
        parts.append(f'<line x1="{_RIM}" x2="{_WIDTH - 16}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(_text(_RIM - 6, y + 4, f"{share} %", "end"))
    for number, scene in enumerate(dict.fromkeys(row["scene"] for row in rows)):
        points = [
            (_x(row["cameras"], most_x), _y(row["vision_cpu_percent"], most_y), row["cameras"])
            for row in rows
            if row["scene"] == scene
        ]
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y, cameras in points:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')
            parts.append(_text(x, _HEIGHT - _RIM + 18, str(cameras), "middle"))
        parts.append(_text(_RIM + 12, 48 + 18 * number, scene, "start", colour))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join([*parts, "</svg>\n"]), encoding="utf-8")


def _x(cameras: int, most: int) -> float:
    return _RIM + (_WIDTH - _RIM - 32) * cameras / most


def _y(percent: float, most: float) -> float:
    return _HEIGHT - _RIM - (_HEIGHT - 2 * _RIM) * percent / most


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'
