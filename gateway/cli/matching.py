"""``matching calibrate``: what each threshold costs in false warnings and missed visits, as a table and a curve."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.api import calibration_request, sealed_rows, told, told_rate
from gateway.cli.det_plot import DetCurve, draw_det
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, SetOption, settings_of
from gateway.cli.output import put, put_table, say
from gateway.cli.watchlist import outfit_of
from gateway.errors import PermanentError, counted
from gateway.settings import Settings
from gateway.storage import open_watchlist, require_state
from gateway.wire import CalibrationReply
from gateway.workers import LoneGallery

matching_app = typer.Typer(no_args_is_help=True, help="When a face is like somebody of the watch-list.")
_WINDOW_DAYS = 30
_RULES = {"track": "shipped", "mean": "mean alone", "median": "median alone", "look": "one look"}
_STEP = 2
_HEADINGS = (
    "false/day: false warnings a day to expect, of the shipped rule (mean and median of a face's looks together; with "
    "its 95 % interval and missed visits), and to compare of the looks' mean alone, of their median alone, of one look."
)


@matching_app.callback()
def _group() -> None:
    """When a face is like somebody of the watch-list."""


@matching_app.command("calibrate", short_help="What thresholds cost, as a table and a curve.")
def calibrate(
    people: Annotated[int | None, typer.Option(min=0, help="For a list of so many people.")] = None,
    passages: Annotated[float | None, typer.Option(min=0, help="For so many unknown faces a day.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the DET curve into this SVG file.", metavar="FILE")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    set_: SetOption = None,
) -> None:
    """Show what thresholds cost: false warnings a day and missed visits, by what list and site know.

    Changes nothing; may run beside the gateway.
    """
    settings = settings_of(config, set_)
    require_state(settings.storage.directory, files=["state.db"])
    reply = asyncio.run(_ask(settings, people, passages))
    if plot is not None:
        _draw(reply, plot)
    if as_json:
        rules = {rule: told(reply, rule)["thresholds"] for rule in _RULES}
        put(json.dumps(told(reply) | {"rules": rules, "source": reply.source}, ensure_ascii=False))
        return
    put(told_in_words(reply))
    if not reply.people:
        return
    put(_HEADINGS)
    put_table(_table(reply), _columns(), as_json=False)
    if reply.cameras:
        put("")
        put_table(told(reply)["cameras"], ["camera", "threshold", "small_face_threshold"], as_json=False)


async def _ask(settings: Settings, people: int | None, passages: float | None) -> CalibrationReply:
    desk = await open_watchlist(settings.storage)
    try:
        now = datetime.now(UTC)
        revision, rows = await desk.watchlist.rows(now)
        async with LoneGallery.open(outfit_of(settings, desk)) as gallery:
            seen = await desk.histograms.seen(now.date() - timedelta(days=_WINDOW_DAYS), gallery.model)
            request = calibration_request(seen, now.date(), people=people, tracks_per_day=passages)
            return await gallery.calibrate(revision, sealed_rows(rows), request)
    finally:
        await desk.close()


def told_in_words(reply: CalibrationReply) -> str:
    """The line of the threshold in use."""
    figures = told(reply)
    if not reply.people or figures["in_use"] is None:
        return "Nobody is on the list: there is nothing to warn of."
    in_use = figures["in_use"]
    rare = in_use["fewer_than_one_a_month"]
    count = in_use["false_warnings_per_day"]
    rate = "fewer than 1 false warning a month" if rare else f"about {count:g} false warning{'s' * (count != 1)} a day"
    based = f"Based on {counted(reply.tracks_seen, 'face')} seen here in the last {_WINDOW_DAYS} days."
    if figures["estimate"]:
        based = f"Factory estimate: from the factory model, not from these cameras.{_missing(reply)}"
    by_hand = " The threshold is set by hand (matching.threshold)." if reply.configured else ""
    far = in_use["extrapolated_decades"]
    times = f"{float(f'{10**far:.0e}'):,.0f}"
    beyond = (
        f" This is about {times} times rarer than anything counted: an estimate, not a count." if far > _STEP else ""
    )
    people, faces = counted(reply.people, "person", "people"), figures["passages_per_day"]
    return (
        f"With {people} on the list and about {faces} unknown faces a day expect "
        f"{rate} (at most {in_use['at_most']:g} a day) at threshold {in_use['threshold']:.3f}; about "
        f"{100 * in_use['missed']:g} in 100 listed visits may be missed. {based}{by_hand}{beyond}"
    )


def _missing(reply: CalibrationReply) -> str:
    if not reply.tracks_missing:
        return ""
    return f" {counted(reply.tracks_missing, 'more face')} must be seen here until the site's own counts decide."


def _columns() -> list[str]:
    return ["threshold", *(f"{name}: false/day" for name in _RULES.values()), "interval", "missed", "basis"]


def _table(reply: CalibrationReply) -> Sequence[dict[str, Any]]:
    by_rule = {rule: {row["threshold"]: row for row in told(reply, rule)["thresholds"]} for rule in _RULES}
    rows = []
    for threshold, row in list(by_rule["track"].items())[::_STEP]:
        cells = {f"{name}: false/day": _rate(by_rule[rule][threshold]) for rule, name in _RULES.items()}
        rows.append(
            {
                "threshold": f"{threshold:.2f}",
                **cells,
                "interval": _interval(row),
                "missed": f"{100 * row['missed']:g} %",
                "basis": row["basis"] + (" (extrapolated)" if row["extrapolated_decades"] > _STEP else ""),
            }
        )
    return rows


def _rate(row: dict[str, Any]) -> str:
    return "<1 a month" if row["fewer_than_one_a_month"] else f"{row['false_warnings_per_day']:g}"


def _interval(row: dict[str, Any]) -> str:
    return f"{row['at_least']:.2f} to {row['at_most']:g}" if row["at_most"] > told_rate(0) else "<1 a month"


def _draw(reply: CalibrationReply, file: Path) -> None:
    if file.suffix.lower() != ".svg":
        raise PermanentError("the curve is drawn as SVG", where=str(file), remedy="Give a file that ends in .svg")
    curves = [
        DetCurve(name, tuple((row.fpir, row.fnmr, row.threshold) for row in reply.rows if row.rule == rule))
        for rule, name in _RULES.items()
    ]
    used = (reply.in_use.fpir, reply.in_use.fnmr, reply.in_use.threshold) if reply.in_use is not None else None
    title = (
        f"DET: {counted(reply.people, 'person', 'people')}, {counted(reply.templates, 'template')}, "
        f"{counted(reply.tracks_seen, 'face')} counted"
    )
    try:
        file.write_text(draw_det(curves, used, title), encoding="utf-8")
    except OSError as error:
        raise PermanentError(f"{file} cannot be written: {error.strerror}", remedy="Name another file.") from None
    say(f"The curve is in {file}.")
