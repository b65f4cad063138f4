"""One client's connection: packets in and out, acknowledgements in order and only for what was handled."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.alarms.access import Rights
from gateway.alarms.answers import AnswerQueue
from gateway.alarms.encoding import encode_packet
from gateway.alarms.greeting import check_greeting, greeting_of
from gateway.alarms.line import Line
from gateway.alarms.packets import (
    LEVEL_5,
    QOS_MASK,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)
from gateway.alarms.properties import NOTHING, Properties
from gateway.alarms.reasons import FAILURE, Reason, connack_code
from gateway.alarms.refusals import refused_client, refused_filters, taken_id
from gateway.alarms.sessions import Session
from gateway.alarms.switchboard import Switchboard
from gateway.alarms.topics import Subscription
from gateway.alarms.wireformat import MalformedPacketError, ProtocolBreachError, UnsupportedProtocolError
from gateway.errors import GatewayError
from gateway.events import Cause, of_error

_LOW_WATER_BYTES = 64 * 1024
_MOST_ALIASES = 10
_CONNECT_HEAD = 0x10
_KEEPALIVE_FACTOR = 1.5
_QOS_2 = 2


class Connection(Line):
    """What a client says and is told (§3, §4), in its order.

    Args:
        board: its endpoint.
        secure: it is of the TLS listener, not of the plain one on the loopback.
    """

    def __init__(self, board: Switchboard, *, secure: bool = False) -> None:
        super().__init__(board, secure=secure)
        self._answers = AnswerQueue(self._not_stored, self._go_on)
        self._aliases: dict[int, str] = {}
        self._ending: Reason | None = None
        self._window = board.settings.max_inflight
        self._largest = 0
        self._unanswered: set[int] = set()
        self._explains = True
        self.rights = Rights()

    # --- packets in

    def take_packets(self, ends: float) -> bool:
        """Take packets that are whole until the clock says `ends`; whether more wait."""
        heard = self._heard
        more = self._take_some(ends)
        if self._heard != heard:
            self._forget_part()
        if not more:
            self._watch_part()
            if not self._busy:
                self._resume_reading()
        return more

    def _take_some(self, ends: float) -> bool:
        clock = self._board.turns.clock
        try:
            while not self._busy and not self.closed and self._ending is None:
                if self.session is None and self._reader.waiting and self._reader.first_byte != _CONNECT_HEAD:
                    raise MalformedPacketError("the first packet is no CONNECT")
                packet = self._reader.next()
                if packet is None:
                    return False
                self._heard = self._loop.time()
                self._take(packet)
                if clock() >= ends:
                    return self._reader.has_whole
        except UnsupportedProtocolError as error:
            self.send(Connack(code=1))
            self._turn_away(of_error("unsupported_protocol", error), error)
        except MalformedPacketError as error:
            self._turn_away(of_error("malformed_packet", error), error)
        return False

    def _turn_away(self, cause: Cause, error: MalformedPacketError) -> None:
        self._board.refuse(cause, self)
        if self.session is None and self._reader.level >= LEVEL_5:
            self.send(Connack(code=error.reason))
        self.end(error.reason, str(error))

    def _take(self, packet: Packet) -> None:
        session = self.session
        if session is None:
            self._open(packet)
            return
        match packet:
            case Publish():
                self._take_publish(packet, session)
            case Puback():
                self._board.acknowledged(session, packet.packet_id)
                self.send_queued()
            case Pubrel():
                self._take_release(packet, session)
            case Subscribe():
                self._take_subscribe(packet, session)
            case Unsubscribe():
                self._take_unsubscribe(packet, session)
            case Pingreq():
                self.send(Pingresp())
            case Disconnect():
                self._take_disconnect(packet, session)
            case _:
                raise ProtocolBreachError(f"a client may not send {type(packet).__name__}")

    # --- coming in

    def _open(self, packet: Packet) -> None:
        if not isinstance(packet, Connect):
            raise MalformedPacketError("the first packet is no CONNECT")
        refusal = check_greeting(packet)
        if refusal is not None:
            self._refuse_entry(*refusal)
            return
        self._hold()
        self._board.spawn(self._enter(packet), "mqtt connect")

    def _refuse_entry(self, reason: Reason, cause: Cause) -> None:
        self._board.refuse(cause, self)
        self.send(Connack(code=connack_code(reason, self._reader.level)))
        self.close()

    async def _enter(self, packet: Connect) -> None:
        verdict = await self._board.identify(packet, self._certified, self.address, secure=self.secure)
        if self.closed:
            return
        if verdict.reason:
            self._refuse_entry(verdict.reason, refused_client(packet.client_id, verdict.reason))
            return
        try:
            session, present = self._board.connected(self, packet, verdict.user)
        except ProtocolBreachError as error:
            self._refuse_entry(error.reason, taken_id(packet.client_id, str(error)))
            return
        self.session = session
        # On a full disk a button comes in all the same: its press is shown, though it cannot be stored (contract).
        stored = self._board.settled()
        if not isinstance(stored, Reason):
            await stored
        if self.lost:
            return
        self._greet(packet, session, present=present)

    def _greet(self, packet: Connect, session: Session, *, present: bool) -> None:
        keepalive, properties = greeting_of(packet, session.client_id, self._board.settings, _MOST_ALIASES)
        said = packet.properties
        self._window = min(said.receive_maximum or self._window, self._window)
        self._largest = said.maximum_packet_size or 0
        self._explains = said.request_problem_information != 0
        self._wait(keepalive * _KEEPALIVE_FACTOR)
        self._greeted = True
        self.send(Connack(session_present=present, properties=properties))
        self._board.requeue(session)
        self.send_queued()
        self._let_go()

    # --- messages in

    def _take_publish(self, packet: Publish, session: Session) -> None:
        packet = self._resolved(packet)
        if packet.qos and session.level >= LEVEL_5:
            self._count(packet.packet_id)
        if not self.rights.may_publish(packet.topic):
            outcome: asyncio.Future[Any] | Reason = self._board.refuse_publish(self, packet.topic, packet.payload)
        else:
            outcome = self._board.take(session, packet)
        self._answer_behind(outcome, lambda reason: self._acknowledge(packet, reason))

    def _resolved(self, packet: Publish) -> Publish:
        """The message with the topic that its alias stands for (§3.3.2.3.4)."""
        if packet.properties is NOTHING:
            return packet
        if packet.properties.subscription_ids:
            raise ProtocolBreachError("a client may not send subscription identifiers")
        alias = packet.properties.topic_alias
        if alias is None:
            return packet
        if alias > _MOST_ALIASES:
            raise ProtocolBreachError(f"topic alias {alias}", Reason.TOPIC_ALIAS_INVALID)
        if packet.topic:
            self._aliases[alias] = packet.topic
            return packet
        if alias not in self._aliases:
            raise ProtocolBreachError(f"topic alias {alias} was never given a topic")
        return replace(packet, topic=self._aliases[alias])

    def _count(self, packet_id: int) -> None:
        """§3.3.4, §4.9: a client of MQTT 5 may have as many messages without PUBACK or PUBCOMP as it was told.

        Each connection begins anew: an id of QoS 2 that was not released on a former one does not count.
        """
        unanswered = self._unanswered
        if packet_id not in unanswered and len(unanswered) >= self._board.settings.max_inflight:
            raise ProtocolBreachError("more messages than Receive Maximum", Reason.RECEIVE_MAXIMUM_EXCEEDED)
        unanswered.add(packet_id)

    @property
    def _most_answers(self) -> int:
        """Above it nothing is read; a client of MQTT 5 that knows the window is ended by that, not by this."""
        most = self._board.settings.max_inflight
        return most if self._reader.level < LEVEL_5 else 2 * most

    def _acknowledge(self, packet: Publish, reason: Reason) -> None:
        if packet.qos == 1:
            self._unanswered.discard(packet.packet_id)
            self.send(Puback(packet.packet_id, reason))
        elif packet.qos == _QOS_2:
            if reason >= FAILURE:
                self._unanswered.discard(packet.packet_id)
            self.send(Pubrec(packet.packet_id, reason))

    def _take_release(self, packet: Pubrel, session: Session) -> None:
        known = self._board.release(session, packet.packet_id)
        reason = Reason.SUCCESS if known else Reason.PACKET_ID_NOT_FOUND
        self._answer_behind(self._board.flushed(), lambda _reason: self._complete(packet.packet_id, reason))

    def _complete(self, packet_id: int, reason: Reason) -> None:
        self._unanswered.discard(packet_id)
        self.send(Pubcomp(packet_id, reason))

    def _not_stored(self, _error: GatewayError) -> None:
        """Without an acknowledgement it will be sent again (§4.4); an error code would end the matter."""
        self.end(Reason.SERVER_BUSY)

    def _go_on(self) -> None:
        if self._ending is not None and not self._answers:
            self.end(self._ending)
        elif self._greeted and self._busy and len(self._answers) < self._most_answers:
            self._let_go()

    # --- subscriptions

    def _take_subscribe(self, packet: Subscribe, session: Session) -> None:
        """A filter that is there twice counts as its last (§3.8.4); its options may differ, what is kept comes once."""
        identifier = packet.properties.subscription_ids[0] if packet.properties.subscription_ids else None
        wanted = dict(packet.filters)
        allowed = [pattern for pattern in wanted if self.rights.may_subscribe(pattern)]
        if len(allowed) < len(wanted):
            self._refuse_filters([pattern for pattern in wanted if pattern not in set(allowed)])
        subscriptions = [Subscription(each, _granted(wanted[each]), identifier) for each in allowed]
        fresh = {each for each in allowed if each not in session.filters}
        added = self._board.subscribe(session, subscriptions)
        granted = [each for each, there in zip(subscriptions, added, strict=True) if there]
        codes = self._subscribe_codes(packet, set(allowed), {each.pattern for each in granted})

        def answer(reason: Reason) -> None:
            if reason:
                self._board.unsubscribe(session, [each.pattern for each in granted])
                self.send(Suback(packet.packet_id, (FAILURE,) * len(codes)))
                return
            self.send(Suback(packet.packet_id, codes))
            for subscription in granted:
                self._board.send_retained(session, subscription, fresh=subscription.pattern in fresh)

        self._answer_behind(self._board.settled() if session.lasts else Reason.SUCCESS, answer)

    def _refuse_filters(self, patterns: list[str]) -> None:
        self._board.refuse(refused_filters(patterns), self)

    def _subscribe_codes(self, packet: Subscribe, allowed: set[str], granted: set[str]) -> tuple[int, ...]:
        new = self._reader.level >= LEVEL_5
        refused, full = (Reason.NOT_AUTHORIZED, Reason.QUOTA_EXCEEDED) if new else (FAILURE, FAILURE)
        return tuple(
            _granted(options) & QOS_MASK if pattern in granted else full if pattern in allowed else refused
            for pattern, options in packet.filters
        )

    def _take_unsubscribe(self, packet: Unsubscribe, session: Session) -> None:
        found = self._board.unsubscribe(session, packet.filters)
        codes = tuple(Reason.SUCCESS if each else Reason.NO_SUBSCRIPTION_EXISTED for each in found)
        stored = self._board.settled() if session.lasts else Reason.SUCCESS
        self._answer_behind(stored, lambda _reason: self.send(Unsuback(packet.packet_id, codes)))

    def _answer_behind(self, outcome: "asyncio.Future[Any] | Reason", answer: Callable[[Reason], object]) -> None:
        """Answer once the outcome is known; with too many answers open, nothing more is read."""
        self._answers.add(outcome, answer)
        if len(self._answers) >= self._most_answers:
            self._hold()

    # --- messages out

    @property
    def takes_more(self) -> bool:
        """Whether it keeps up: little is unread, and nothing waits for its acknowledgements."""
        waits = self.session is not None and self.session.queue
        return self._greeted and not waits and self.unread < _LOW_WATER_BYTES

    def send_message(self, message: Publish, expires: float | None) -> None:
        """Send one with QoS 0."""
        if not self._greeted:
            return
        if expires is not None:
            left = max(1, round(expires - time.monotonic()))
            message = replace(message, properties=replace(message.properties, message_expiry=left))
        self.send(message)

    def send_queued(self) -> None:
        """Send what waits in the session, as far as the client takes more."""
        session = self.session
        while session is not None and self._greeted and not self.closed:
            message = self._board.next_message(session, self._window)
            if message is None:
                return
            if not self.send(message, patient=True):
                self._board.acknowledged(session, message.packet_id)

    def send(self, packet: Packet, *, patient: bool = False) -> bool:
        """Write a packet, `patient` with the next turn's; False if the client takes no such large one (§3.1.2.11.4)."""
        if self._transport is None or self.closed:
            return True
        data = encode_packet(packet, self._reader.level)
        if self._largest and len(data) > self._largest:
            return False
        self._write(data, patient=patient)
        return True

    # --- the end

    def _take_disconnect(self, packet: Disconnect, session: Session) -> None:
        expiry = packet.properties.session_expiry
        if expiry is not None:
            if expiry and not session.expiry:
                raise ProtocolBreachError("a session expiry behind one of 0")
            self._board.change_expiry(session, expiry)
        if packet.reason != Reason.DISCONNECT_WITH_WILL:
            self.left_in_order = True
        self.close()

    def end(self, reason: Reason, why: str = "") -> None:
        """Tell a client of MQTT 5 why it is disconnected (§3.14), and close."""
        if self._greeted and self._reader.level >= LEVEL_5 and not self.closed:
            properties = Properties(reason_string=why[:256]) if why and self._explains else NOTHING
            self.send(Disconnect(reason, properties))
        self.close()

    def finish(self, reason: Reason) -> None:
        """End once what is being stored was acknowledged."""
        self._ending = reason
        if not self._answers:
            self.end(reason)


def _granted(options: int) -> int:
    """Messages go out with QoS 0 and 1; a 2 that is asked for is granted as 1 (§3.8.4)."""
    return options & ~QOS_MASK | min(options & QOS_MASK, 1)
