"""What is true of the whole site: a flood of alarms, a drill; pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.events import (
    DrillEnded,
    DrillStarted,
    Event,
    FloodEnded,
    FloodStarted,
    IncidentOpened,
    IncidentRaisedAgain,
    Severity,
    derived_id,
)
from gateway.incidents.policy import Policy
from gateway.storage import Stored

GROUPED = "grouped"
_MOST = 256


@dataclass(frozen=True, slots=True)
class Situation:
    """The site as the events so far make it.

    Attributes:
        flood: alarms come faster than a guard can follow.
        recent: when alarms came since the last flood ended that had, or would have had, an incident of their own, with
            that incident; real ones, and none of a silent or duress press: a flood is told to every post.
        first: the incident that was first in it.
        grouped: alarms that this flood's groups took.
        drill: id of the drill that is on.
        drill_over: the journal's position at which the last drill ended; None while one is on.
        drill_ended: when it ended.
    """

    flood: bool = False
    recent: tuple[tuple[datetime, str], ...] = ()
    first: str = ""
    grouped: int = 0
    drill: str = ""
    drill_over: int | None = None
    drill_ended: datetime | None = None


CALM = Situation()


def advance(situation: Situation, stored: Stored, policy: Policy) -> Situation:
    """The situation after an event; the same event again changes nothing that matters."""
    event = stored.event
    moment = event.recorded or event.time
    match event:
        case IncidentOpened() | IncidentRaisedAgain():
            return _with_alarm(situation, event, moment, policy)
        case FloodStarted():
            return replace(situation, flood=True, first=event.first, grouped=0)
        case FloodEnded():
            return replace(situation, flood=False, first="", grouped=0, recent=())
        case DrillStarted():
            return replace(situation, drill=event.drill_id, drill_over=None, drill_ended=None)
        case DrillEnded():
            return replace(situation, drill="", drill_over=stored.position, drill_ended=moment)
        case _:
            return situation


def _with_alarm(
    situation: Situation, event: IncidentOpened | IncidentRaisedAgain, moment: datetime, policy: Policy
) -> Situation:
    grouped = isinstance(event, IncidentRaisedAgain)
    if event.discreet or event.drill or event.out_of_service:
        return situation
    if grouped and getattr(event, "reason", "") != GROUPED:
        return situation
    if (moment, event.incident) in situation.recent:
        return situation
    since = moment - timedelta(seconds=policy.flood_window_seconds)
    recent = [each for each in situation.recent if since < each[0] <= moment]
    recent.append((moment, event.incident))
    return replace(situation, recent=tuple(recent[-_MOST:]), grouped=situation.grouped + grouped)


def flood_begins(situation: Situation, policy: Policy) -> FloodStarted | None:
    """The start of a flood, if more incidents opened than the site's limit."""
    if situation.flood or len(situation.recent) <= policy.flood_incidents:
        return None
    moment, last = situation.recent[-1]
    return FloodStarted(
        id=derived_id("flood", last),
        source=policy.source,
        subject="flood",
        time=moment,
        severity=Severity.MEDIUM,
        count=len(situation.recent),
        first=situation.recent[0][1],
    )


def flood_ends(situation: Situation, now: datetime, policy: Policy) -> FloodEnded | None:
    """The end of a flood, if for a whole window fewer alarms came than the calm limit."""
    if not situation.flood:
        return None
    since = now - timedelta(seconds=policy.flood_window_seconds)
    if sum(since < moment <= now for moment, _incident in situation.recent) >= policy.flood_calm:
        return None
    last = situation.recent[-1] if situation.recent else (now, "")
    return FloodEnded(
        id=derived_id("flood ended", last[1], last[0].isoformat()),
        source=policy.source,
        subject="flood",
        time=now,
        severity=Severity.MEDIUM,
        grouped=situation.grouped,
    )


def is_of_situation(event: Event) -> bool:
    """Whether an event changes the situation by itself."""
    return isinstance(event, FloodStarted | FloodEnded | DrillStarted | DrillEnded)
