"""Who holds a connection: a share for each address and each sign-in, and who has to go when it is full."""

import ipaddress
from typing import Protocol

_IPV6_PREFIX = 64


class Guest(Protocol):
    """Somebody with a connection."""

    @property
    def is_served(self) -> bool:
        """Whether a whole request of it is being answered."""
        ...

    def eject(self) -> None:
        """End its connection at once."""
        ...


def network_of(address: str) -> str:
    """Whom an address belongs to: itself for IPv4, its /64 for IPv6, of which one machine has all."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
    return str(parsed)


class Door:
    """Counts guests by address until they have signed in, by sign-in behind that.

    Args:
        most: guests in all.
        share: guests of one address that have not signed in; guests of one sign-in.
    """

    def __init__(self, *, most: int, share: int) -> None:
        self._most = most
        self._share = share
        self._strangers: dict[str, dict[Guest, None]] = {}
        self._signed_in: dict[str, dict[Guest, None]] = {}
        self._places: dict[Guest, tuple[dict[str, dict[Guest, None]], str]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def enter(self, guest: Guest, address: str) -> bool:
        """Let somebody in who has not signed in; the oldest stranger has to go if it is full.

        Returns:
            False if everybody inside has signed in and there is no room.
        """
        if len(self._places) >= self._most and not self._eject_a_stranger():
            return False
        self._put(guest, self._strangers, address)
        return True

    def sign_in(self, guest: Guest, key: str) -> None:
        """Count a guest to its sign-in from now on."""
        self._move(guest, self._signed_in, key)

    def sign_out(self, guest: Guest, address: str) -> None:
        """Count a guest to its address again."""
        self._move(guest, self._strangers, address)

    def leave(self, guest: Guest) -> None:
        """It is gone; asking twice is no harm."""
        place = self._places.pop(guest, None)
        if place is not None:
            groups, name = place
            del groups[name][guest]
            if not groups[name]:
                del groups[name]

    def _move(self, guest: Guest, groups: dict[str, dict[Guest, None]], name: str) -> None:
        place = self._places.get(guest)
        if place is not None and (place[0] is not groups or place[1] != name):
            self.leave(guest)
            self._put(guest, groups, name)

    def _put(self, guest: Guest, groups: dict[str, dict[Guest, None]], name: str) -> None:
        if len(groups.get(name, ())) >= self._share:
            self._eject(_first_to_go(groups[name]))
        groups.setdefault(name, {})[guest] = None
        self._places[guest] = (groups, name)

    def _eject_a_stranger(self) -> bool:
        if not self._strangers:
            return False
        self._eject(_first_to_go(max(self._strangers.values(), key=len)))
        return True

    def _eject(self, guest: Guest) -> None:
        self.leave(guest)
        guest.eject()


def _first_to_go(group: dict[Guest, None]) -> Guest:
    """The oldest that is not being answered, or else the oldest."""
    return next((guest for guest in group if not guest.is_served), next(iter(group)))
