"""The metadata track's packets: documents in fragments, with and without markers, broken, too large, with gaps."""

import random
import struct
import time

import pytest

from gateway.cameras.metadata.documents import DocumentAssembler, notices_of, read_packet

NAMESPACES = 'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"'
CLOSED = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<tt:MetadataStream {NAMESPACES}><tt:Event><wsnt:NotificationMessage>'
    "<wsnt:Topic>tns1:Device/Trigger/DigitalInput</wsnt:Topic><wsnt:Message>"
    '<tt:Message UtcTime="2026-01-01T00:00:00Z" PropertyOperation="Changed"><tt:Source>'
    '<tt:SimpleItem Name="InputToken" Value="1"/></tt:Source><tt:Data>'
    '<tt:SimpleItem Name="LogicalState" Value="true"/></tt:Data></tt:Message></wsnt:Message>'
    "</wsnt:NotificationMessage></tt:Event></tt:MetadataStream>"
).encode()
FRAME = (
    f"<tt:MetadataStream {NAMESPACES}><tt:VideoAnalytics><tt:Frame/></tt:VideoAnalytics></tt:MetadataStream>".encode()
)


def packet(sequence: int, payload: bytes, *, marker: bool = False) -> bytes:
    return struct.pack("!BBHII", 0x80, 107 | (0x80 if marker else 0), sequence & 0xFFFF, 0, 7) + payload


def packets(document: bytes, *, first: int = 0, size: int = 90, markers: str = "last") -> list[bytes]:
    parts = [document[start : start + size] for start in range(0, len(document), size)]
    last = len(parts) - 1
    marked = {"last": {last}, "all": set(range(last + 1)), "none": set()}[markers]
    return [packet(first + n, part, marker=n in marked) for n, part in enumerate(parts)]


def taken(assembler: DocumentAssembler, data: list[bytes]) -> list[bytes]:
    return [each for each in map(assembler.take, data) if each is not None]


@pytest.mark.parametrize("markers", ["last", "all", "none"])
@pytest.mark.parametrize("size", [7, 90, 5000])
def test_a_document_is_whole_however_it_is_cut_and_marked(markers: str, size: int) -> None:
    assembler = DocumentAssembler()
    data = packets(CLOSED, first=65530, size=size, markers=markers)
    again = packets(CLOSED, first=65530 + len(data), size=size, markers=markers)

    assert taken(assembler, data + again) == [CLOSED, CLOSED]
    assert assembler.dropped == 0


def test_the_next_is_whole_when_a_piece_of_one_was_lost() -> None:
    assembler = DocumentAssembler()
    first = packets(CLOSED)
    del first[2]
    second = packets(CLOSED, first=100)

    assert taken(assembler, first + second) == [CLOSED]
    assert assembler.dropped == 1


def test_who_comes_in_the_middle_of_one_waits_for_the_next() -> None:
    assembler = DocumentAssembler()
    data = packets(CLOSED, size=60)

    assert taken(assembler, data[4:] + packets(FRAME, first=len(data))) == [FRAME]


def test_one_that_is_never_closed_is_overtaken_by_the_next() -> None:
    assembler = DocumentAssembler()

    assert taken(assembler, [packet(0, CLOSED[:200], marker=True), packet(1, CLOSED, marker=True)]) == [CLOSED]
    assert assembler.dropped == 1


def test_one_that_is_too_large_is_dropped_and_takes_no_room() -> None:
    assembler = DocumentAssembler()
    assembler.take(packet(0, b"<tt:MetadataStream>"))
    for number in range(1, 200):
        assembler.take(packet(number, b"x" * 60_000))
        assert len(assembler._pending) <= 1024 * 1024
    assert assembler.dropped == 1
    assert assembler.take(packet(200, CLOSED, marker=True)) == CLOSED


def test_an_empty_one_and_one_of_another_root_are_documents() -> None:
    assembler = DocumentAssembler()
    empty, other = b"<tt:MetadataStream/>", b"<n:Notify>x</n:Notify>\x00"

    assert taken(assembler, [packet(0, empty, marker=True), packet(1, other, marker=True)]) == [empty, other]


@pytest.mark.parametrize(
    "data", [b"", b"\x80" * 11, b"\x40" + bytes(20), b"\x8f" + bytes(20), b"\xa0" + bytes(11) + b"\xff"]
)
def test_what_is_no_packet_is_none(data: bytes) -> None:
    assert read_packet(data) is None


def test_extension_sources_and_padding_are_no_payload() -> None:
    head = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 1, 0x80, 5, 0, 7) + b"CSRC" + b"\0\1\0\1EXTN"

    found = read_packet(head + b"<a/>" + b"\0\0\3")

    assert found is not None
    assert (found.sequence, found.marker, found.payload) == (5, True, b"<a/>")


def test_its_notifications_are_read_as_pulled_ones() -> None:
    (notice,) = notices_of(CLOSED)

    assert (notice.topic, notice.token, notice.active, notice.initial) == (
        "Device/Trigger/DigitalInput",
        "1",
        True,
        False,
    )
    assert notices_of(FRAME) == ()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"NotificationMessage",
        b"<NotificationMessage",
        b"\xff\xfe<NotificationMessage/>",
        b'<!DOCTYPE x [<!ENTITY a "' + b"b" * 1000 + b'"><!ENTITY c "&a;&a;">]><NotificationMessage>&c;&c;</x>',
        CLOSED.replace(b"</tt:Data>", b""),
        CLOSED[:-60],
    ],
)
def test_broken_xml_raises_nothing_and_closes_no_contact_by_mistake(document: bytes) -> None:
    assert all(each.active in (None, True) for each in notices_of(document))


def test_mutated_packets_raise_nothing_and_take_bounded_time() -> None:
    chance, assembler, began = random.Random(4), DocumentAssembler(), time.process_time()
    for number in range(1500):
        body = bytearray(packet(number if chance.random() < 0.9 else chance.randrange(65536), CLOSED, marker=True))
        for _ in range(chance.randint(0, 6)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        document = assembler.take(bytes(body))
        if document is not None:
            notices_of(document)
    assert time.process_time() - began < 60


def test_packets_of_nothing_behind_a_long_beginning_are_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would otherwise cost a look at all that is pending, for ever."""
    looks: list[int] = []
    is_whole = DocumentAssembler._is_whole

    def counted(self: DocumentAssembler) -> bool:
        looks.append(1)
        return is_whole(self)

    monkeypatch.setattr(DocumentAssembler, "_is_whole", counted)
    assembler = DocumentAssembler()
    flood = [
        packet(0, b"<?xml ?>"),
        *(packet(n, b" " * 1_400) for n in range(1, 60)),
        *(packet(n, b"") for n in range(60, 99)),
    ]
    assert taken(assembler, flood) == []
    assert len(looks) == 1
    assert taken(assembler, packets(CLOSED, first=99)) == [CLOSED]
