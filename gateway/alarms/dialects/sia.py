"""What an alarm panel reports: Contact ID (SIA DC-05) and SIA codes (SIA DC-03) as DC-09 carries them."""

import re
from datetime import UTC, datetime

from gateway.alarms.dialects.reading import is_plausible
from gateway.alarms.dialects.said import Action, Dialect, Health, PayloadError, Presence, Said, Trouble
from gateway.settings import Meaning

_CONTACT_ID = re.compile(r"(?:#[0-9A-F]{3,16})?\|?([136])([0-9A-F]{3}) ?([0-9A-F]{2}) ?([0-9A-F]{3})")
_OCCURRED = re.compile(r"\[H(\d\d:\d\d:\d\d,\d\d-\d\d-\d{4})\]")
_BLOCK = re.compile(r"([A-Z]{2})([0-9A-F]{0,4})")
_TIME = "%H:%M:%S,%m-%d-%Y"
_NEW, _RESTORED = "1", "3"

_ALARMS: dict[str, tuple[Meaning, str]] = {
    "100": ("press", "medical"), "101": ("press", "personal emergency"), "102": ("press", "failed to report in"),
    "110": ("press", "fire"), "111": ("press", "smoke"), "112": ("press", "combustion"), "113": ("press", "water flow"),
    "114": ("press", "heat"), "115": ("press", "pull station"), "117": ("press", "flame"), "120": ("press", "panic"),
    "121": ("duress", "duress"), "122": ("silent", "silent panic"), "123": ("press", "audible panic"),
    "124": ("duress", "duress, access granted"), "125": ("duress", "duress, egress granted"),
    "129": ("silent", "confirmed hold-up"), "130": ("press", "burglary"), "131": ("press", "perimeter"),
    "132": ("press", "interior"), "133": ("press", "24-hour zone"), "134": ("press", "entry or exit"),
    "135": ("press", "day or night zone"), "136": ("press", "outdoor"), "139": ("press", "confirmed intrusion"),
    "140": ("press", "general alarm"), "150": ("press", "24-hour zone, no burglary"), "151": ("press", "gas"),
    "154": ("press", "water"), "158": ("press", "high temperature"), "159": ("press", "low temperature"),
    "162": ("press", "carbon monoxide"), "137": ("tamper", "tamper"), "144": ("tamper", "sensor tamper"),
    "145": ("tamper", "module tamper"), "341": ("tamper", "module tamper"), "383": ("tamper", "sensor tamper"),
    "601": ("test", "manual test"), "611": ("test", "point tested"),
}  # fmt: skip
_MISSING = frozenset({"147", "155", "355", "381", "382"})
_BATTERY = frozenset({"302", "309", "311", "384"})

_LETTERS = {"P": "panic", "M": "medical", "Q": "emergency", "F": "fire", "B": "burglary", "G": "gas", "K": "heat",
            "W": "water", "U": "zone", "H": "hold-up"}  # fmt: skip
_OWN_CODES: dict[str, tuple[Meaning, str]] = {
    "HA": ("silent", "hold-up"), "TA": ("tamper", "tamper"), "RX": ("test", "manual test")
}  # fmt: skip
_OWN_CODES |= {f"{letter}A": ("press", word) for letter, word in _LETTERS.items() if letter != "H"}
_OWN_MISSING = frozenset(f"{letter}Z" for letter in _LETTERS) | {"UY"}
_OWN_BATTERY = {"XT": True, "XR": False, "YT": True, "YR": False}

MEANINGS: dict[str, Meaning] = {f"1{code}": meaning for code, (meaning, _word) in _ALARMS.items()}
MEANINGS |= {f"6{code}": meaning for code, (meaning, _word) in _ALARMS.items() if meaning != "test"}
MEANINGS |= {f"3{code}": "clear" for code, (meaning, _word) in _ALARMS.items() if meaning not in ("tamper", "test")}
MEANINGS |= {code: meaning for code, (meaning, _word) in _OWN_CODES.items()}
MEANINGS |= {f"{letter}{end}": "clear" for letter in _LETTERS for end in ("R", "H")}


def decode(topic: str, payload: bytes) -> tuple[Said, ...]:
    """What a panel's message says; `part` is the zone without leading zeros, empty for the whole panel.

    Args:
        topic: ``<id token>/<sequence>``, such as ``ADM-CID/0017``.
        payload: what stands between ``[`` and the time stamp, such as ``#1234|1120 01 005][H12:16:34,11-23-2026]``.

    Raises:
        PayloadError: it has not the form of its token, or the token is unknown.
    """
    token, _, sequence = topic.partition("/")
    text = payload.decode("ascii", "replace")
    data, occurred = text.partition("]")[0], _OCCURRED.search(text)
    at = _moment(occurred[1]) if occurred else None
    seq = int(sequence) if sequence.isdigit() and sequence.isascii() else None
    if token == "NULL":  # noqa: S105  # the id of a message
        return (Health(),)
    if token == "ADM-CID":  # noqa: S105  # the id of a message
        return (_contact_id(data, at, seq),)
    if token == "SIA-DCS":  # noqa: S105  # the id of a message
        return _sia_codes(data, at, seq)
    raise PayloadError(f"the id {token[:16]!r} is none that is taken here", where="id", code="payload_field")


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def zone_of(digits: str) -> str:
    """A zone without leading zeros; 0 stands for the whole panel."""
    return digits.lstrip("0")


def _contact_id(data: str, at: datetime | None, seq: int | None) -> Said:
    found = _CONTACT_ID.fullmatch(data)
    if found is None:
        raise PayloadError("is no Contact ID message QEEE PP ZZZ", where="data", code="payload_no_contact_id")
    qualifier, code, partition, zone = found[1], found[2], found[3], zone_of(found[4])
    active = qualifier != _RESTORED
    if code in _MISSING:
        return Presence(online=not active, part=zone)
    if code in _BATTERY:
        return Health(battery_low=active, part=zone)
    word = _ALARMS.get(code, ("", ""))[1]
    if not active and MEANINGS.get(f"1{code}") == "tamper":
        return Health(tamper=False, part=zone)
    if code.startswith("3") and code not in _ALARMS:
        return Trouble(name=f"panel_{code}", active=active, detail=f"Contact ID {code}", part=zone)
    if code[0] in "456" and (code not in _ALARMS or not zone):  # openings, bypasses, periodic tests: the panel lives
        return Health(part=zone)
    detail = f"Contact ID {code} {word}, partition {partition}, zone {zone or '-'}"
    return _action(f"{qualifier}{code}", zone, at, seq, detail)


def _sia_codes(data: str, at: datetime | None, seq: int | None) -> tuple[Said, ...]:
    body = data.partition("|")[2] if "|" in data else data
    said = [_sia_code(block, at, seq) for part in body[1:].split("/") if (block := _BLOCK.match(part))]
    if body[:1] not in ("N", "O") or not said:
        raise PayloadError("is no SIA message N…/CC…", where="data", code="payload_no_sia")
    return tuple(said)


def _sia_code(block: re.Match[str], at: datetime | None, seq: int | None) -> Said:
    code, zone = block[1], zone_of(block[2])
    if code in _OWN_MISSING or code == "UJ":
        return Presence(online=code == "UJ", part=zone)
    if code in _OWN_BATTERY:
        return Health(battery_low=_OWN_BATTERY[code], part=zone)
    if code == "TR":
        return Health(tamper=False, part=zone)
    if code not in MEANINGS and code[1] in "TJ":
        return Trouble(name=f"panel_{code[0]}", active=code[1] == "T", detail=f"SIA {code}", part=zone)
    if (code not in MEANINGS and code[0] in "OCDJLNRTVXY") or (code == "RX" and not zone):
        return Health(part=zone)
    word = _OWN_CODES.get(code, ("", _LETTERS.get(code[0], "")))[1]
    return _action(code, zone, at, seq, f"SIA {code} {word}, zone {zone or '-'}")


def _action(name: str, zone: str, at: datetime | None, seq: int | None, detail: str) -> Action:
    """A press; with its time of occurrence it is known by that, because what is sent again later has a new number."""
    identity = f"{name} {zone or '-'} {at.isoformat()}" if at is not None else None
    certain = at is not None and is_plausible(at)
    return Action(name=name, part=zone, at=at, seq=seq, id=identity, detail=detail, certain=certain)


DIALECT = Dialect(name="sia", decode=decode, topics=lambda _address: (), address="", meanings=MEANINGS)
