"""Which procedure (预案) an incident has: the one that fits it most closely."""

from collections.abc import Iterable

from gateway.settings import ProcedureSettings
from gateway.storage import Incident


def procedure_for(incident: Incident, procedures: Iterable[ProcedureSettings]) -> ProcedureSettings | None:
    """The procedure of an incident; of several the one that names its place, then its discretion, then its kind.

    Of equals the first of the configuration wins.
    """
    fitting = [each for each in procedures if _fits(each, incident)]
    return max(fitting, key=_closeness, default=None)


def _fits(procedure: ProcedureSettings, incident: Incident) -> bool:
    kinds = tuple(each for each in procedure.kinds if each.endswith("."))
    return (
        (not procedure.kinds or incident.kind in procedure.kinds or (bool(kinds) and incident.kind.startswith(kinds)))
        and (not procedure.places or incident.place in procedure.places)
        and procedure.discreet in (None, incident.discreet)
    )


def _closeness(procedure: ProcedureSettings) -> tuple[bool, bool, bool]:
    return bool(procedure.places), procedure.discreet is not None, bool(procedure.kinds)
