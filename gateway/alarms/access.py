"""Who a client is and what it may do: certificate, password, and a list of topics with %u and %c."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

from gateway.alarms.packets import Connect
from gateway.alarms.reasons import Reason
from gateway.alarms.turnstile import Turnstile
from gateway.alarms.wireformat import split_share, topic_matches
from gateway.settings import LOOPBACK, AccessSettings, MqttSettings

_MOST_REMEMBERED = 8192
_UNSAFE = frozenset("+#/")

Verify = Callable[[str, str], Awaitable[bool]]


async def nobody(_hashed: str, _password: str) -> bool:
    """Lets nobody in: where no users are configured."""
    return False


@dataclass(frozen=True, slots=True)
class Rights:
    """What one client may do; None: everything."""

    publish: tuple[str, ...] | None = None
    subscribe: tuple[str, ...] | None = None

    def may_publish(self, topic: str) -> bool:
        """Whether it may publish on a topic; those that begin with ``$`` are the server's (§4.7.2)."""
        if topic.startswith("$"):
            return False
        return self.publish is None or any(topic_matches(pattern, topic) for pattern in self.publish)

    def may_subscribe(self, pattern: str) -> bool:
        """Whether all that a filter takes is allowed to it."""
        if self.subscribe is None:
            return True
        wanted = split_share(pattern)[1]
        return any(covers(allowed, wanted) for allowed in self.subscribe)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a client may come in, and as whom; `user` is empty for one that did not say who it is."""

    reason: Reason
    user: str = ""


class AccessList:
    """Decides who comes in.

    Args:
        settings: users and rules.
        site: names the topics of the gateway's own profile.
        verify: checks a password against a hash, off the loop.
    """

    def __init__(self, settings: MqttSettings, site: str, verify: Verify) -> None:
        self._hashes = {user.name: user.password_hash for user in settings.users}
        self._rules = settings.access or _own_topics(site)
        self._anonymous = settings.allow_anonymous
        self._verify = verify
        self._turnstile = Turnstile()
        self._salt = secrets.token_bytes(32)
        self._remembered: dict[str, bytes] = {}

    async def admit(self, packet: Connect, certified: str | None, address: str, *, secure: bool) -> Verdict:
        """Who a client is: by its certificate, by its password, or nobody where that is allowed."""
        if certified is not None:
            return Verdict(Reason.SUCCESS, certified) if certified else Verdict(Reason.NOT_AUTHORIZED)
        if packet.username is not None and packet.password is not None and self._hashes:
            return await self._check(packet.username, packet.password, self._side(packet.username, address))
        if self._anonymous and not secure and (packet.username is None or not self._hashes):
            return Verdict(Reason.SUCCESS)
        return Verdict(Reason.NOT_AUTHORIZED if packet.username is None else Reason.BAD_CREDENTIALS)

    def _side(self, user: str, address: str) -> str:
        """Whose tries wait behind each other: an address's; on the loopback, where all have one, a user's."""
        if address not in LOOPBACK:
            return address
        return f"user {user}" if user in self._hashes else "unknown users"

    async def _check(self, user: str, password: bytes, side: str) -> Verdict:
        digest = hmac.digest(self._salt, user.encode() + b"\0" + password, sha256)
        known = self._remembered.get(user)
        if known is not None and hmac.compare_digest(known, digest):
            return Verdict(Reason.SUCCESS, user)
        if not await self._turnstile.enter(side):
            return Verdict(Reason.SERVER_BUSY)
        # A name that is not there costs the same time as one that is.
        hashed = self._hashes.get(user) or next(iter(self._hashes.values()))
        try:
            good = await self._verify(hashed, password.decode("utf-8", "replace"))
        finally:
            self._turnstile.leave()
        if not good or user not in self._hashes:
            return Verdict(Reason.BAD_CREDENTIALS)
        if len(self._remembered) < _MOST_REMEMBERED:
            self._remembered[user] = digest
        return Verdict(Reason.SUCCESS, user)

    def rights_of(self, user: str, client_id: str) -> Rights:
        """What a client may do: an anonymous one everything, a user what the list says."""
        if not user:
            return Rights()
        mine = [rule for rule in self._rules if not rule.users or user in rule.users]
        publish = [_filled(rule.topic, user, client_id) for rule in mine if rule.allow in ("publish", "both")]
        subscribe = [_filled(rule.topic, user, client_id) for rule in mine if rule.allow in ("subscribe", "both")]
        return Rights(tuple(filter(None, publish)), tuple(filter(None, subscribe)))


def _own_topics(site: str) -> tuple[AccessSettings, ...]:
    base = f"campus/{site}/button/%u"
    published = [AccessSettings(topic=f"{base}/{leaf}", allow="publish") for leaf in ("event", "health", "state")]
    return (*published, AccessSettings(topic=f"{base}/feedback", allow="subscribe"))


def _filled(topic: str, user: str, client_id: str) -> str:
    """The filter with %u and %c; "" if what stands for them would change which levels it has."""
    for mark, value in (("%u", user), ("%c", client_id)):
        if mark in topic:
            if not value or _UNSAFE & set(value):
                return ""
            topic = topic.replace(mark, value)
    return topic


def covers(allowed: str, wanted: str) -> bool:
    """Whether a filter takes every topic that another one takes."""
    have, want = allowed.split("/"), wanted.split("/")
    if want[0].startswith("$") and have[0] in ("+", "#"):
        return False
    for index, level in enumerate(have):
        if level == "#":
            return True
        if index >= len(want) or want[index] == "#" or level not in ("+", want[index]):
            return False
    return len(have) == len(want)
