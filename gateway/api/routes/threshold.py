"""What the threshold costs: false warnings a day and missed visits, for this list and traffic or for others."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from gateway.api.auth import Caller, Parts
from gateway.api.figures import told

router = APIRouter(prefix="/watchlist")
_MOST = 10_000_000


@router.get("/threshold")
async def threshold(
    _caller: Caller,
    parts: Parts,
    people: Annotated[int | None, Query(ge=0, le=_MOST)] = None,
    passages_per_day: Annotated[float | None, Query(ge=0, le=_MOST, allow_inf_nan=False)] = None,
) -> dict[str, Any]:
    """Expected false warnings a day and the share of missed visits, per threshold; one figure each.

    Without `people` and `passages_per_day` for the list that there is and the traffic that was counted. A `basis` of
    ``factory`` is an estimate from the factory model, not from these cameras.
    """
    if people is None and passages_per_day is None and parts.calibrations.current is not None:
        return told(parts.calibrations.current)
    return told(await parts.calibrations.ask(people, passages_per_day))
