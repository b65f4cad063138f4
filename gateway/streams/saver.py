"""Decides packet by packet what is decoded now, what may be later, and makes up for what was left out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias, cast

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from gateway.streams.frame import Converter, Frame
from gateway.streams.groups import GroupLengths
from gateway.streams.sparing import RestSwitch, SizeWatch, Sparing

# In quotes because the class takes its parameter in the type checker only.
VideoPacket: TypeAlias = "av.Packet[AvVideoStream]"
Decode: TypeAlias = Callable[["av.Packet[AvVideoStream]"], tuple[list[VideoFrame], float]]
# Ends what is being decoded, so that it can go on elsewhere: the pictures that were held back, and CPU milliseconds.
Restart: TypeAlias = Callable[[], tuple[list[VideoFrame], float]]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one packet gave.

    Attributes:
        picture: None if it gave none, or was left out.
        arrived: monotonic seconds at which its packet came.
        cost_ms: CPU milliseconds of its decoding.
        resting: it was left out because the scene is still.
        backlog: it is made up for: the looker must see it before the next.
        time: the packet's own time in seconds; None if it has none.
    """

    picture: VideoFrame | None
    arrived: float
    cost_ms: float = 0.0
    resting: bool = False
    backlog: bool = False
    time: float | None = None


@dataclass(slots=True)
class _Held:
    """A packet of the group of pictures at hand."""

    packet: VideoPacket
    arrived: float
    decoded: bool


class PacketPicker(Protocol):
    """Decides what of a session is decoded."""

    def take(self, packet: VideoPacket, arrived: float) -> Iterator[Decoded]:
        """What there is to see because of a packet, in order; at least one answer for each."""
        ...


class Saver:
    """One session's saving: while the scene is still, the rest of each group of pictures is left out.

    How much, is said by what can be relied on: after the keyframe all, where the encoder's sizes show whoever comes;
    otherwise no more than the shortest passage that must not be missed (`GroupLengths`); nothing where that saves
    little. What is left out is kept until the next keyframe, and decoded once anything speaks for motion.

    Args:
        sparing: how to save.
        switch: whether to.
        decode: decodes a packet: its pictures and the CPU milliseconds they cost.
        restart: called before decoding goes on where it did not stop: what the decoder holds back is of before.
    """

    def __init__(
        self, sparing: Sparing, switch: RestSwitch, decode: Decode, restart: Restart = lambda: ([], 0.0)
    ) -> None:
        self._sparing = sparing
        self._switch = switch
        self._decode, self._restart = decode, restart
        self._watch = SizeWatch()
        self._groups = GroupLengths(sparing.shortest_seconds)
        self._converter = Converter()
        self._held: list[_Held] = []
        self._bytes = 0
        self._too_long = False
        self._head = 0
        self._latest: VideoFrame | None = None
        self._picture: tuple[int | None, int, bool] = (None, 0, False)
        switch.wake()

    def take(self, packet: VideoPacket, arrived: float) -> Iterator[Decoded]:
        """What there is to see because of a packet of the stream, in order."""
        size, keyframe = self._last_picture(packet, arrived)
        if self._switch.resting:
            yield from self._rest(packet, arrived, size, keyframe=keyframe)
            return
        if size:
            self._watch.note(size, keyframe=keyframe, somebody=self._switch.somebody)
        if packet.is_keyframe and self._switch.asked:
            self._watch.begin()
            if self._may_rest() and self._switch.begin():
                self._hold_only(packet, arrived)
        yield from self._plain(packet, arrived)

    def _may_rest(self) -> bool:
        """Whether anything of the group that begins may be left out; says how much of it is decoded."""
        self._head = 1 if self._watch.tells else self._groups.head
        return not self._too_long and (self._watch.tells or self._groups.worth_resting)

    def _last_picture(self, packet: VideoPacket, arrived: float) -> tuple[int, bool]:
        """Bytes of the picture that this packet follows, 0 while it goes on, and whether that was a keyframe."""
        pts, size, keyframe = self._picture
        if packet.pts is not None and packet.pts == pts:
            self._picture = (pts, size + packet.size, keyframe)
            return 0, keyframe
        self._groups.note(arrived, keyframe=packet.is_keyframe)
        self._picture = (packet.pts, packet.size, packet.is_keyframe)
        return size, keyframe

    def _plain(self, packet: VideoPacket, arrived: float, *, backlog: bool = False) -> Iterator[Decoded]:
        pictures, cost = self._decode(packet)
        for picture in pictures:
            self._latest = picture
            yield Decoded(picture, arrived, cost / len(pictures), backlog=backlog)
        if not pictures:
            yield Decoded(None, arrived, cost)

    def _rest(self, packet: VideoPacket, arrived: float, size: int, *, keyframe: bool) -> Iterator[Decoded]:
        alarmed = bool(size) and self._watch.alarms(size, keyframe=keyframe)
        if packet.is_keyframe:
            yield from self._at_keyframe(packet, arrived)
        elif self._groups.pictures <= self._head:
            yield from self._in_head(packet, arrived)
        else:
            yield from self._behind_head(packet, arrived)
        if not self._switch.resting:
            return
        if self._must_wake():
            yield from self._wake(self._left_out_since(arrived))
        elif alarmed:
            run = min(self._watch.run, len(self._held))
            yield from self._wake(self._held[-run].arrived - self._sparing.lead_seconds)

    def _must_wake(self) -> bool:
        """Whether the looker saw something, or the group cannot be held, or is longer than was reckoned with."""
        if self._bytes > self._sparing.most_bytes or len(self._held) > self._sparing.most_packets:
            self._too_long = True
        late = self._groups.is_late and not self._watch.tells
        return self._too_long or late or self._switch.stirred

    def _in_head(self, packet: VideoPacket, arrived: float) -> Iterator[Decoded]:
        """Decode it; kept all the same, as what is behind it may have to be decoded after the next keyframe was."""
        self._hold(packet, arrived, decoded=True)
        yield from self._plain(packet, arrived)

    def _behind_head(self, packet: VideoPacket, arrived: float) -> Iterator[Decoded]:
        """Leave it out, unless the last picture before it differs."""
        latest, self._latest = self._latest, None
        self._hold(packet, arrived, decoded=False)
        if latest is not None and self._head > 1 and self._sparing.moved(self._bare(latest, arrived)):
            yield from self._wake(arrived)
        else:
            yield Decoded(None, arrived, resting=True, time=seconds_of(packet))

    def _at_keyframe(self, packet: VideoPacket, arrived: float) -> Iterator[Decoded]:
        """Decode it; if it differs, or sizes were suspicious, something came since the keyframe before."""
        copy = copied(packet)
        pictures, cost = self._after_gap(packet)
        seen = any(self._sparing.moved(self._bare(picture, arrived)) for picture in pictures)
        if seen or self._watch.take_suspicion() or not self._may_rest():
            first = self._left_out_since(arrived)
            for held in self._held:
                held.decoded = False
            self._held.append(_Held(copy, arrived, decoded=False))
            self._restart()
            yield from self._wake(first)
            return
        if self._held and copy.pts is not None and copy.pts == self._held[0].packet.pts:
            self._held.append(_Held(copy, arrived, decoded=True))
        else:
            self._held, self._bytes = [_Held(copy, arrived, decoded=True)], copy.size
        for picture in pictures:
            yield Decoded(picture, arrived, cost / len(pictures))
        if not pictures:
            yield Decoded(None, arrived, cost, resting=True, time=seconds_of(copy))

    def _after_gap(self, keyframe: VideoPacket) -> tuple[list[VideoFrame], float]:
        """The pictures of the group before that come with it, and its own; behind what was left out it begins anew."""
        if all(held.decoded for held in self._held):
            return self._decode(keyframe)
        (late, late_cost), (pictures, cost) = self._restart(), self._decode(keyframe)
        return [*late, *pictures], late_cost + cost

    def _left_out_since(self, now: float) -> float:
        return next((held.arrived for held in self._held if not held.decoded), now)

    def _bare(self, picture: VideoFrame, arrived: float) -> Frame:
        """A picture that has no place in the camera's time yet."""
        return Frame(0.0, arrived, 0, picture.width, picture.height, picture, self._converter)

    def _wake(self, since: float) -> Iterator[Decoded]:
        """Decode what was left out, hand over what came since then, and decode in full from now on."""
        held, self._held, self._bytes = self._held, [], 0
        self._switch.wake()
        shown = float("-inf")
        for each in held:
            if each.decoded:
                continue
            for made in self._plain(each.packet, each.arrived, backlog=True):
                if made.arrived >= since and made.arrived - shown >= self._sparing.look_seconds:
                    shown = made.arrived
                    yield made

    def _hold_only(self, packet: VideoPacket, arrived: float) -> None:
        self._held, self._bytes = [], 0
        self._hold(packet, arrived, decoded=True)

    def _hold(self, packet: VideoPacket, arrived: float, *, decoded: bool) -> None:
        self._held.append(_Held(copied(packet), arrived, decoded))
        self._bytes += packet.size


def copied(packet: VideoPacket) -> VideoPacket:
    """A packet of its own memory: what the stream gave may be emptied by a filter afterwards."""
    copy = cast("VideoPacket", av.Packet(bytes(packet)))
    copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
    copy.is_keyframe = packet.is_keyframe
    return copy


def seconds_of(packet: VideoPacket) -> float | None:
    """The packet's own time."""
    return None if packet.pts is None or packet.time_base is None else float(packet.pts * packet.time_base)
