"""``status``: one screen of what runs, asked of the running gateway without sign-in."""

import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, SetOption, settings_of
from gateway.cli.output import put, put_table
from gateway.cli.unanswered import unanswered
from gateway.errors import TransientError, counted
from gateway.settings import Settings

MORE = "All of it: campus-gateway status --json, or its incident in the console."
_SECONDS = 5.0
_GATES = {
    "never_shuts": ("the motion gate never shuts: is the camera loose, or the picture full of noise?",),
    "never_opens": ("nothing moved for a day: does the camera still see the gate?",),
}


def status(as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Print what runs, on one screen; exit 1 if presses are not taken."""
    body = fetch_readiness(settings_of(config, set_))
    if as_json:
        put(json.dumps(body, ensure_ascii=False))
    else:
        _print(body)
    raise typer.Exit(0 if body["ready"] else 1)


def fetch_readiness(settings: Settings) -> dict[str, Any]:
    """What the running gateway says of itself.

    Raises:
        TransientError: none answers.
    """
    address, verify = address_of(settings)
    try:
        answer = httpx.get(f"{address}/readyz", timeout=_SECONDS, verify=verify, trust_env=False)
        body: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        remedy = "Does it run? Start it with campus-gateway run, or systemctl start campus-gateway."
        raise TransientError(f"does not answer ({unanswered(error)})", where=address, remedy=remedy) from None
    return body


def address_of(settings: Settings) -> tuple[str, ssl.SSLContext | bool]:
    """The running gateway's address, and how its certificate is checked: by the site's own CA."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.api.host, settings.api.host)  # noqa: S104  # compared only
    place = f"[{host}]" if ":" in host else host
    if settings.api.tls == "off":
        return f"http://{place}:{settings.api.port}", False
    ca: Path = settings.storage.directory / "tls" / "ca.crt"
    context = ssl.create_default_context(cafile=str(ca)) if ca.exists() else ssl.create_default_context()
    return f"https://{place}:{settings.api.port}", context


def brief(detail: str) -> str:
    """The first sentence of what is wrong with the files: a cell of a table holds no more."""
    return detail.partition(". ")[0].removesuffix(".") + "."


def _print(body: dict[str, Any]) -> None:
    put("ready: presses are accepted" if body["ready"] else "NOT READY: presses are not accepted, or open no incident")
    storage, watchlist = body["storage"], body["watchlist"]
    rows = [
        {
            "part": "storage",
            "state": "ok" if storage["ok"] else "failed",
            "detail": counted(storage["position"], "event"),
        },
        {"part": "loop", "state": f"{body['loop_lag_ms']} ms", "detail": "lag of the alarm house"},
        {
            "part": "watch-list",
            "state": f"revision {watchlist['revision']}",
            "detail": listed(watchlist) + _left_out(watchlist["left_out"], key_fits=body["key"]["ok"]),
        },
    ]
    damaged = [f"{brief(each)} {MORE}" for each in storage["faults"]]
    rows += [{"part": "state folder", "state": "DAMAGED", "detail": each} for each in damaged]
    waiting = body.get("incidents", {"open": 0, "raised": 0})
    if waiting["open"]:
        what = f"{waiting['raised']} of them not acknowledged"
        rows.append({"part": "incidents", "state": f"{waiting['open']} open", "detail": what})
    failing = body.get("tasks", {}).get("failing", [])
    rows += [{"part": f"task {name}", "state": "FAILS", "detail": "begins anew; see the log"} for name in failing]
    if not body["key"]["ok"]:
        rows.append(
            {"part": "master key", "state": "WRONG", "detail": f"{body['key']['detail']}. {body['key']['remedy']}"}
        )
    rows += [
        {"part": f"worker {name}", "state": state, "detail": worker_detail(body, name)}
        for name, state in body["workers"].items()
    ]
    figures = body.get("figures", {})
    rows += [
        {"part": f"camera {name}", "state": state, "detail": camera_detail(figures.get(name), state)}
        for name, state in body["cameras"].items()
    ]
    rows += [
        {"part": f"button {name}", "state": found["state"].replace("_", " "), "detail": device_detail(found)}
        for name, found in body["devices"].items()
    ]
    rows += [
        {"part": f"to {name}", "state": state, "detail": delivery_detail(body["deliveries"][name])}
        for name, state in body["destinations"].items()
    ]
    put_table(rows, ["part", "state", "detail"], as_json=False)


def listed(watchlist: dict[str, Any]) -> str:
    """How much is on the watch-list, once it is loaded."""
    if not watchlist["model"]:
        return "being loaded"
    return f"{counted(watchlist['people'], 'person', 'people')}, {counted(watchlist['templates'], 'template')}"


def worker_detail(body: dict[str, Any], worker: str) -> str:
    """Why a child ended that has not come back, and what to do; empty of one that works."""
    fault = body.get("worker_faults", {}).get(worker)
    return f"{fault['what']}. {fault['remedy']}".rstrip() if fault else ""


def device_detail(found: dict[str, Any]) -> str:
    """When an alarm device was heard, and its battery, in one line."""
    if found["state"] == "not_heard":
        return "nothing since the start of the gateway; press it once"
    seen = found["last_seen"]
    parts = [found["reason"].replace("_", " "), f"heard last {seen}" if seen else "never heard"]
    if found["battery"] is not None:
        parts.append(f"battery {found['battery']:.0f} %")
    return ", ".join(part for part in parts if part)


def delivery_detail(found: dict[str, Any]) -> str:
    """What waits for a destination, how often it was tried, what it refused for good, and why, in one line."""
    number, tries, dead = found["backlog"], found["tries"], found["dead"]
    waits = f"{counted(number, 'event')} {'waits' if number == 1 else 'wait'}" if number else ""
    tried = f"tried {counted(tries, 'time')}" if tries else ""
    refused = f"{counted(dead, 'event')} refused for good, to be retried by hand" if dead else ""
    what = ", ".join(part for part in (waits, tried, refused) if part)
    return ": ".join(part for part in (what, found["error"]) if part)


def _left_out(templates: int, *, key_fits: bool) -> str:
    """How many templates are not compared with, and why."""
    if not templates:
        return ""
    return f", {templates} left out: " + ("watchlist reembed" if key_fits else "the master key is wrong")


def camera_detail(figures: dict[str, Any] | None, state: str = "live") -> str:
    """A camera's figures in one line; of one without a picture why, and what to do."""
    if figures is None:
        return ""
    if state != "live" and figures.get("reason"):
        why = f"{figures['reason'].replace('_', ' ')}. {figures.get('remedy', '')}"
        return f"{figures['worker']}, {why}".rstrip()
    costs = " + ".join(f"{figures[name]:.1f}" for name in ("decode_ms", "detect_ms", "embed_ms"))
    parts = [
        figures["worker"],
        "resting" if figures["resting"] else f"{figures['looks_per_second']:.1f} looks/s",
        f"decode + detect + embed {costs} ms",
    ]
    if figures["decision_age_p95_ms"] >= 0:
        parts.append(f"judged within {figures['decision_age_p95_ms']:.0f} ms (p95)")
    state, reason, _frames, _cost = figures["main"]
    if state == "lost":
        parts.append(f"main stream lost ({reason}): clips are missing or have gaps, faces may be small")
    return ", ".join([*parts, *_GATES.get(figures["gate"], ())])
