"""``cameras``: those that are there, those that could be, and many from a file; asked of the running gateway."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.interface import asked, interface
from gateway.cli.local import of_system
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, SetOption, settings_of
from gateway.cli.output import put, put_table, say
from gateway.errors import PermanentError, counted

cameras_app = typer.Typer(no_args_is_help=True, help="Cameras of the running gateway.")


@cameras_app.command("list", short_help="All cameras, their state and what to do.")
def list_cameras(as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Print all cameras as the gateway sees them."""
    with interface(settings_of(config, set_)) as client:
        items = asked(client, "GET", "/cameras")["items"]
    if as_json:
        put(json.dumps(items, ensure_ascii=False))
    else:
        put_table([_camera(each) for each in items], ["id", "name", "state", "model", "remedy"], as_json=False)


@cameras_app.command("report", short_help="What became of each camera yesterday.")
def report(as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Print the newest daily report of cameras: losses, time without picture, faults, and how each is."""
    with interface(settings_of(config, set_)) as client:
        items = asked(client, "GET", "/cameras/report")["items"]
    if as_json:
        put(json.dumps(items, ensure_ascii=False))
    elif not items:
        say("There is no report yet: it is made after midnight.")
    else:
        put_table([_day(each) for each in items[0]["cameras"]], list(_DAY), as_json=False)
        say(_summary(items[0]))


_DAY = ("id", "name", "losses", "minutes without picture", "faults", "heard", "clock", "certificate")


def _day(item: dict[str, Any]) -> dict[str, object]:
    """A row; nothing stands where there was nothing."""
    wrong = (
        item["faults"]
        | item["tampered"]
        | ({"lost": 1} if item["lost"] else {})
        | ({"recording_gap": 1} if item.get("recording_gap") else {})
    )
    offset, left = item.get("clock_offset_seconds"), item.get("certificate_days_left")
    minutes = round(item["seconds_without_picture"] / 60, 1)
    cells = (
        item["camera"],
        item["name"],
        item["losses"] or None,
        minutes or None,
        ", ".join(name if times == 1 else f"{name} ({times})" for name, times in wrong.items()),
        item["events_heard"] or None,
        None if offset is None else f"{offset:+g} s",
        None if left is None else counted(left, "day"),
    )
    return dict(zip(_DAY, cells, strict=True))


def _summary(report: dict[str, Any]) -> str:
    cameras = report["cameras"]
    well = sum(each["well"] for each in cameras)
    more = "" if report["complete"] else " The day had too many events: not all are counted."
    return f"{report['day']}: {well} of {counted(len(cameras), 'camera')} well all day.{more}"


def _camera(item: dict[str, Any]) -> dict[str, object]:
    status = item["status"]
    said, told = status.get("asked") or "", status.get("description") or {}
    state = status["state"] if said in ("", "ok") else f"{status['state']}, {said}"
    model = " ".join(str(told.get(name) or "") for name in ("manufacturer", "model")).strip()
    return {"id": item["id"], "name": item["name"], "state": state, "model": model, "remedy": status.get("remedy")}


@cameras_app.command("discover", short_help="Look for cameras in the site's networks.")
def discover(
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=20, help="how long answers are waited for")] = 4.0,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    set_: SetOption = None,
) -> None:
    """Look for ONVIF cameras in vision.camera_networks; `camera` names the entry of one that is adopted already."""
    with interface(settings_of(config, set_)) as client:
        found = asked(client, "POST", "/cameras/discover", params={"seconds": seconds})
    if as_json:
        put(json.dumps(found["items"], ensure_ascii=False))
        return
    put_table(found["items"], ["url", "camera", "name", "model", "state", "activation"], as_json=False)
    networks = ", ".join(found["networks"])
    say(f"{counted(len(found['items']), 'camera')} in {networks or 'no network: name them in vision.camera_networks'}.")


@cameras_app.command("import", short_help="Many cameras from a CSV file.")
def import_cameras(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV in UTF-8 with a heading; docs/onvif.md.")],
    apply: Annotated[bool, typer.Option("--apply", help="add the good rows; without it nothing is added")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    set_: SetOption = None,
) -> None:
    """Judge each row of FILE, and with --apply add the good ones; exit 1 if a row is bad."""
    settings = settings_of(config, set_)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise of_system(error) from None
    if not content:
        raise PermanentError("is empty", where=str(file), remedy="Begin with a heading: id,name,url,username,password.")
    content = _as_utf8(content, file)
    with interface(settings) as client:
        headers = {"Content-Type": "text/csv; charset=utf-8"}
        query = {"dry_run": str(not apply).lower()}
        result = asked(client, "POST", "/cameras/import", params=query, content=content, headers=headers)
    if as_json:
        put(json.dumps(result, ensure_ascii=False))
    else:
        rows = [each | {"ok": "ok" if each["ok"] else "BAD"} for each in result["items"]]
        put_table(rows, ["line", "id", "ok", "where", "fault", "remedy"], as_json=False)
        good, bad = counted(result["good"], "good row"), counted(result["bad"], "bad one")
        say(f"{good}, {bad}. " + ("The good ones are added." if apply else "Nothing is added without --apply."))
    raise typer.Exit(1 if result["bad"] else 0)


def _as_utf8(content: bytes, file: Path) -> bytes:
    """The text in UTF-8, also of a file that Excel on a Chinese Windows saved.

    Raises:
        PermanentError: it is no text in either.
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise PermanentError("is no text", where=str(file), remedy="Save it as CSV in UTF-8.") from None
        say(f"{file} is read as GB18030.")
        return text.encode("utf-8")
    return content
