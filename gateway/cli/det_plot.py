"""Draws a detection error trade-off curve (DET, ISO/IEC 19795-1) as SVG: missed against falsely identified."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 820, 560
_LEFT, _TOP, _RIGHT, _BOTTOM = 90, 60, 30, 70
_X, _Y = (-7, 0), (-3, 0)
_COLOURS = ("#0b5cad", "#b3541e", "#2c7a3f", "#6b4ea0")
_DASHES = ("", "8 4", "3 3", "10 3 2 3")
_LABEL_EVERY = 5


@dataclass(frozen=True, slots=True)
class DetCurve:
    """One rule's points: (FPIR, FNIR, threshold), by rising threshold."""

    name: str
    points: tuple[tuple[float, float, float], ...]


def draw_det(curves: Sequence[DetCurve], used: tuple[float, float, float] | None, title: str) -> str:
    """The picture; both axes in powers of ten.

    Args:
        curves: at most four.
        used: the point of the thresholds in use.
        title: above it.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"',
        ' font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="30" font-size="16">{escape(title)}</text>',
        *_axes(),
        *(line for number, curve in enumerate(curves) for line in _curve(curve, number)),
    ]
    if used is not None:
        x, y = _place(used[0], used[1])
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" stroke="black" stroke-width="2"/>')
        parts.append(f'<text x="{x + 12:.1f}" y="{y - 10:.1f}">in use: {used[2]:.3f}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _place(fpir: float, fnir: float) -> tuple[float, float]:
    def share(value: float, ends: tuple[int, int]) -> float:
        power = math.log10(max(value, 10.0 ** ends[0]))
        return (min(power, ends[1]) - ends[0]) / (ends[1] - ends[0])

    x = _LEFT + share(fpir, _X) * (_WIDTH - _LEFT - _RIGHT)
    return x, _HEIGHT - _BOTTOM - share(fnir, _Y) * (_HEIGHT - _TOP - _BOTTOM)


def _axes() -> Iterator[str]:
    bottom = _HEIGHT - _BOTTOM
    for power in range(_X[0], _X[1] + 1):
        x, _ = _place(10.0**power, 1)
        yield f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{10.0**power:g}</text>'
    for power in range(_Y[0], _Y[1] + 1):
        _, y = _place(1, 10.0**power)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield f'<text x="{middle}" y="{_HEIGHT - 20}" text-anchor="middle">false positive identification rate, FPIR</text>'
    turned = f'transform="rotate(-90 25 {_HEIGHT / 2})"'
    yield f'<text x="25" y="{_HEIGHT / 2}" text-anchor="middle" {turned}>missed listed people, FNIR</text>'


def _curve(curve: DetCurve, number: int) -> Iterator[str]:
    colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
    places = [(*_place(fpir, fnir), threshold) for fpir, fnir, threshold in curve.points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
    if number == 0:
        for x, y, threshold in places[::_LABEL_EVERY]:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            yield f'<text x="{x + 5:.1f}" y="{y - 6:.1f}" fill="{colour}" font-size="11">{threshold:.2f}</text>'
    x, y = _WIDTH - _RIGHT - 150, _TOP + 20 + 20 * number
    stroke = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
    yield f'<line x1="{x}" y1="{y - 4}" x2="{x + 30}" y2="{y - 4}" {stroke}/>'
    yield f'<text x="{x + 38}" y="{y}">{escape(curve.name)}</text>'
