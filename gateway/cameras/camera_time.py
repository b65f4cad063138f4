"""Reads what a camera says its time is (ONVIF Core, GetSystemDateAndTime), however incomplete."""

import re
from datetime import UTC, datetime, timedelta

from lxml import etree

OPERATION = '<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/>'
_POSIX_ZONE = re.compile(r"^(?:<[^>]+>|[A-Za-z]+)(?P<sign>[+-]?)(?P<hours>\d{1,2})(?::(?P<minutes>\d{2}))?")
_YEARS = range(1970, 9999)
_FIELDS = ("Year", "Month", "Day", "Hour", "Minute", "Second")


def read_time(envelope: etree._Element) -> datetime | None:
    """The camera's time in UTC from a reply; None if it does not tell it or tells nonsense, as the years 1 and 9999.

    UTCDateTime if it is there, else LocalDateTime with the POSIX zone and daylight saving of one hour.
    """
    utc = _date_time(envelope.find(".//{*}UTCDateTime"))
    if utc is not None:
        return utc
    local = _date_time(envelope.find(".//{*}LocalDateTime"))
    west = _west_of_utc(envelope.findtext(".//{*}TZ") or "")
    if local is None or west is None:
        return None
    saving = (envelope.findtext(".//{*}DaylightSavings") or "").strip().lower() in {"true", "1"}
    try:
        return local + west - timedelta(hours=1 if saving else 0)
    except OverflowError:
        return None


def _date_time(element: etree._Element | None) -> datetime | None:
    if element is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(element.findtext(f".//{{*}}{name}") or "") for name in _FIELDS)
        said = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return said if said.year in _YEARS else None


def _west_of_utc(zone: str) -> timedelta | None:
    """POSIX writes how far the zone is west of Greenwich: ``CST-8`` is China, eight hours east."""
    match = _POSIX_ZONE.match(zone.strip())
    if match is None:
        return None
    size = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
    return -size if match["sign"] == "-" else size
