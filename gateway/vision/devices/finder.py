"""Looks for cameras and asks each how it is: cards to adopt, and cameras that moved to another address."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from gateway.cameras import CameraDescription, CameraError, CameraState, FoundCamera, OnvifCamera, OnvifLibrary, Search
from gateway.errors import GatewayError
from gateway.wire import CameraAssigned, DiscoveredCamera, DiscoverReply, DiscoverRequest

_AT_ONCE = 8
_LONGEST_SECONDS = 30.0
Known = Mapping[str, tuple[CameraAssigned, CameraDescription | None]]
"""The cameras of this gateway by id, each with what it said of itself."""


class Finder:
    """Searches, one at a time.

    Args:
        library: shared between cameras.
        networks: of cameras, as the settings name them.
        search: makes a search of so many seconds; tests give their own.
    """

    def __init__(
        self, library: OnvifLibrary, networks: tuple[str, ...], search: Callable[[float], Search] | None = None
    ) -> None:
        self._library = library
        self._networks = networks
        self._search = search or (lambda seconds: Search(networks=networks, seconds=seconds))
        self._one_at_a_time = asyncio.Lock()

    async def discover(self, request: DiscoverRequest, known: Known) -> DiscoverReply:
        """Cards of all cameras that answer; each is asked without credentials."""
        found = await self.look(request.seconds)
        slots = asyncio.Semaphore(_AT_ONCE)
        cards = await asyncio.gather(*(self._card(each, known, slots) for each in found))
        return DiscoverReply(request=request.request, cameras=tuple(cards))

    async def look(self, seconds: float) -> tuple[FoundCamera, ...]:
        """What answers."""
        async with self._one_at_a_time:
            return await self._search(min(max(seconds, 0.1), _LONGEST_SECONDS)).run()

    async def _card(self, found: FoundCamera, known: Known, slots: asyncio.Semaphore) -> DiscoveredCamera:
        async with slots:
            state, said = await self._ask(found.url)
        return DiscoveredCamera(
            endpoint=found.endpoint,
            url=found.url,
            name=found.name,
            hardware=found.hardware,
            state=state.value,
            activation={CameraState.CREDENTIALS_WRONG: "done"}.get(state, "pending" if said is not None else ""),
            manufacturer=said.manufacturer if said is not None else "",
            model=said.model if said is not None else "",
            serial=said.serial if said is not None else "",
            camera=next(iter(_adopted(found, said, known)), ""),
        )

    async def _ask(self, url: str) -> tuple[CameraState, CameraDescription | None]:
        """How it is for somebody without a password."""
        try:
            camera = OnvifCamera(url, library=self._library, networks=self._networks)
        except GatewayError:  # what it announced makes no address
            return CameraState.NOT_ONVIF, None
        try:
            said = await camera.probe()
        except CameraError as error:
            return error.state, None
        except GatewayError:
            return CameraState.NOT_ONVIF, None
        finally:
            await camera.close()
        return said.state, said


def _adopted(found: FoundCamera, said: CameraDescription | None, known: Known) -> Iterable[str]:
    """Ids of cameras that it is: by identity, or by where it answered."""
    for camera, (assigned, described) in known.items():
        same = described is not None and is_same(found, described)
        same = same or (said is not None and described is not None and said.identity == described.identity != "")
        if same or _place(assigned.url) == _place(found.url):
            yield camera


def is_same(found: FoundCamera, described: CameraDescription) -> bool:
    """Whether what was found is what was described: by its endpoint reference, or by the hardware address in that."""
    mac = described.mac.replace(":", "")
    return bool(found.endpoint) and (found.endpoint == described.endpoint or (mac != "" and mac in found.endpoint))


def _place(url: str) -> tuple[str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.hostname, parts.port or {"onvif": 80, "onvifs": 443}.get(parts.scheme)
    except ValueError:
        return None, None
