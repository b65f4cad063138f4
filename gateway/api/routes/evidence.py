"""Pictures and clips that belong to an event, decrypted for somebody who may see them."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse

from gateway.api.auth import Guard, Parts
from gateway.api.problems import Problem
from gateway.storage import ClipStore, Evidence

router = APIRouter()
_RANGE = re.compile(r"bytes=([0-9]{1,18})?-([0-9]{1,18})?")
_PIECE_BYTES = 256 * 1024
_MEDIA: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {}, "video/mp4": {}}},
    206: {"content": {"video/mp4": {}}},
}


@router.get("/evidence/{identity}", response_class=Response, responses=_MEDIA)
async def evidence(
    identity: str,
    _caller: Guard,
    parts: Parts,
    wanted: Annotated[str | None, Header(alias="Range")] = None,
    unless: Annotated[str | None, Header(alias="If-Range")] = None,
) -> Response:
    """A picture (JPEG), or a clip (fragmented MP4) or a byte range of it; one that still grows, as far as it is.

    Of a clip one range is given (RFC 9110, section 14); where several are asked for, or ``If-Range`` is sent although
    no validator was given, the answer is the whole clip.
    """
    found = await parts.stores.evidence.get(identity)
    if found is not None and found.clip is not None:
        if (looked := await parts.stores.clips.look(identity)) is not None:
            return _clip(parts.stores.clips, *looked, None if unless else wanted)
    elif (opened := await parts.stores.evidence.open(identity)) is not None:
        return Response(opened[1], media_type="image/jpeg", headers={"Cache-Control": "no-store"})
    raise Problem(
        404, "there is no such evidence, or its time has come", code="no_such_evidence", where=f"evidence {identity}"
    )


def _clip(clips: ClipStore, found: Evidence, size: int, wanted: str | None) -> Response:
    part = byte_range(wanted, size)
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    if part is None:
        part, status = range(size), 200
    elif part:
        headers["Content-Range"], status = f"bytes {part.start}-{part.stop - 1}/{size}", 206
    else:
        raise Problem(
            416,
            f"{wanted} is outside of the clip",
            code="range_outside",
            where=f"evidence {found.id}",
            remedy=f"It has {size} bytes.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    headers["Content-Length"] = str(len(part))
    return StreamingResponse(_pieces(clips, found.id, part), status, media_type="video/mp4", headers=headers)


async def _pieces(clips: ClipStore, evidence: str, part: range) -> AsyncIterator[bytes]:
    for start in part[::_PIECE_BYTES]:
        data = await clips.read(evidence, start, min(_PIECE_BYTES, part.stop - start))
        if data is None:
            return  # its time came meanwhile
        yield data


def byte_range(wanted: str | None, size: int) -> range | None:
    """The bytes that a ``Range`` header asks for (RFC 9110, section 14.1.2), of `size` bytes.

    Returns:
        None if it is absent or means nothing, and is to be ignored; an empty range if none of it is there.
    """
    found = _RANGE.fullmatch(wanted.strip()) if wanted else None
    first, last = ((None if each is None else int(each)) for each in found.groups()) if found else (None, None)
    if first is None:
        return None if last is None else range(max(0, size - last), size)
    if last is not None and last < first:
        return None
    return range(first, size if last is None else min(last + 1, size))
