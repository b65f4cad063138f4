"""Incidents: pure rules, the desk that runs them, the clock that escalates, drills, posts, and outputs at the place."""

from gateway.incidents.commands import By
from gateway.incidents.desk import VERDICTS, VERIFICATIONS, IncidentDesk
from gateway.incidents.drills import Drill, DrillDesk
from gateway.incidents.escalation import EscalationClock, Patience
from gateway.incidents.faults import BadCommandError, ConflictError, NotFoundError
from gateway.incidents.follower import Transition
from gateway.incidents.keys import is_discreet, is_group, is_out_of_service
from gateway.incidents.outputs import OutputDriver, OutputStatus, Switch, wanted
from gateway.incidents.policy import Policy
from gateway.incidents.ports import DeadlinePort, JournalPort, StorePort
from gateway.incidents.posts import PostBook, Presence
from gateway.incidents.procedures import procedure_for
from gateway.incidents.replay import apply
from gateway.incidents.rules import decide
from gateway.incidents.service import OutOfService, ServiceDesk
from gateway.incidents.situation import Situation

__all__ = [
    "VERDICTS",
    "VERIFICATIONS",
    "BadCommandError",
    "By",
    "ConflictError",
    "DeadlinePort",
    "Drill",
    "DrillDesk",
    "EscalationClock",
    "IncidentDesk",
    "JournalPort",
    "NotFoundError",
    "OutOfService",
    "OutputDriver",
    "OutputStatus",
    "Patience",
    "Policy",
    "PostBook",
    "Presence",
    "ServiceDesk",
    "Situation",
    "StorePort",
    "Switch",
    "Transition",
    "apply",
    "decide",
    "is_discreet",
    "is_group",
    "is_out_of_service",
    "procedure_for",
    "wanted",
]
