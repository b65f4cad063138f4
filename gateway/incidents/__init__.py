"""Incidents: pure rules, the desk that runs them, and the clock that escalates."""

from gateway.incidents.desk import VERDICTS, VERIFICATIONS, IncidentDesk
from gateway.incidents.escalation import EscalationClock
from gateway.incidents.faults import BadCommandError, ConflictError, NotFoundError
from gateway.incidents.ports import JournalPort, StorePort
from gateway.incidents.replay import apply
from gateway.incidents.rules import Policy, decide

__all__ = [
    "VERDICTS",
    "VERIFICATIONS",
    "BadCommandError",
    "ConflictError",
    "EscalationClock",
    "IncidentDesk",
    "JournalPort",
    "NotFoundError",
    "Policy",
    "StorePort",
    "apply",
    "decide",
]
