"""The door between the houses: whole messages, descriptors, stalled and hostile peers."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire import (
    Channel,
    ChannelClosedError,
    EvidencePicture,
    GalleryRows,
    GallerySnapshot,
    Heartbeat,
    Message,
    SealedRow,
    WireError,
    channel_pair,
)
from gateway.wire.codec import LENGTHS, MAX_FRAME_BYTES, decode_payload, encode_frame

PICTURE = EvidencePicture(
    evidence="v", event="e", camera="cam-01", person="p", kind="crop", jpeg=bytes(range(256)) * 400
)
ROW = SealedRow(person="p", category="c", photo="f", wrapped_key=b"\x00k", template=b"", fingerprint="m")
ROWS = GalleryRows(revision=3, first=True, last=False, rows=(ROW, ROW))


@pytest.fixture
async def ends() -> AsyncIterator[tuple[Channel, Channel]]:
    left, right = (Channel(sock) for sock in channel_pair())
    yield left, right
    left.close()
    right.close()


def through_codec(message: Message) -> Message:
    frame = encode_frame(message)
    _size, header_size = LENGTHS.unpack_from(frame)
    return decode_payload(header_size, frame[LENGTHS.size :])


@pytest.mark.parametrize("message", [PICTURE, ROWS, Heartbeat(worker="video-1")])
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    assert through_codec(message) == message


@given(st.binary(max_size=300), st.integers(0, 400))
def test_garbage_is_refused_and_nothing_else(payload: bytes, header_size: int) -> None:
    with pytest.raises(WireError):
        decode_payload(header_size, payload)


async def test_messages_arrive_in_order_and_whole(ends: tuple[Channel, Channel]) -> None:
    left, right = ends
    sent = [PICTURE, Heartbeat(worker="video-1"), ROWS] * 30
    async with asyncio.TaskGroup() as group:
        group.create_task(_send_all(left, sent))
        received = [(await right.receive()).message for _ in sent]
    assert received == sent


async def _send_all(channel: Channel, messages: list[Message]) -> None:
    for message in messages:
        await channel.send(message)


async def test_a_descriptor_travels_with_its_message(ends: tuple[Channel, Channel]) -> None:
    left, right = ends
    snapshot = GallerySnapshot(revision=1, people=1, templates=2, size=5, fingerprint="m")
    memory = os.memfd_create("test")
    os.write(memory, b"hello")
    await left.send(PICTURE)
    await left.send(snapshot, [memory])
    os.close(memory)
    assert (await right.receive()).fds == ()
    received = await right.receive()
    assert received.message == snapshot
    assert os.pread(received.fds[0], 5, 0) == b"hello"
    os.close(received.fds[0])


async def test_a_descriptor_that_is_missing_ends_the_channel() -> None:
    ours, theirs = channel_pair()
    channel = Channel(ours)
    theirs.send(encode_frame(GallerySnapshot(revision=1, people=1, templates=2, size=5, fingerprint="m")))
    with pytest.raises(WireError, match="descriptors"):
        await channel.receive()
    assert channel.closed
    theirs.close()


async def test_a_peer_that_stalls_in_mid_message_stops_nobody() -> None:
    ours, theirs = channel_pair()
    channel = Channel(ours)
    theirs.send(encode_frame(PICTURE)[:1000])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(channel.receive(), 0.1)
    assert channel.offer(Heartbeat(worker="x"))
    theirs.close()
    with pytest.raises(ChannelClosedError):
        await channel.receive()


async def test_what_a_silent_peer_is_sent_stays_bounded(ends: tuple[Channel, Channel]) -> None:
    left, _right = ends
    taken = sum(left.offer(PICTURE, limit=1_000_000) for _ in range(100))
    assert 9 <= taken <= 25
    assert not left.offer(PICTURE, limit=1_000_000)


@pytest.mark.parametrize("frame", [struct.pack(">II", MAX_FRAME_BYTES + 1, 5), struct.pack(">II", 2, 5), b"\xff" * 64])
async def test_a_hostile_frame_ends_the_channel(frame: bytes) -> None:
    ours, theirs = channel_pair()
    channel = Channel(ours)
    theirs.send(frame)
    with pytest.raises(WireError):
        await channel.receive()
    with pytest.raises(ChannelClosedError):
        await channel.receive()
    theirs.close()


async def test_the_end_of_a_peer_is_noticed(ends: tuple[Channel, Channel]) -> None:
    left, right = ends
    waiting = asyncio.create_task(right.receive())
    await asyncio.sleep(0)
    left.close()
    with pytest.raises(ChannelClosedError):
        await waiting
    with pytest.raises(ChannelClosedError):
        await right.send(PICTURE)
    assert not right.offer(PICTURE)


async def test_closing_while_somebody_receives_wakes_them(ends: tuple[Channel, Channel]) -> None:
    left, _right = ends
    waiting = asyncio.create_task(left.receive())
    await asyncio.sleep(0)
    left.close()
    with pytest.raises(ChannelClosedError):
        await waiting


def test_a_message_over_the_limit_is_not_sent() -> None:
    with pytest.raises(WireError, match="over the limit"):
        encode_frame(
            EvidencePicture(evidence="v", event="e", camera="c", person="", kind="crop", jpeg=bytes(MAX_FRAME_BYTES))
        )


async def test_the_ends_are_unix_sockets_of_their_own() -> None:
    left, right = channel_pair()
    assert left.family == right.family == socket.AF_UNIX
    left.close()
    right.close()
