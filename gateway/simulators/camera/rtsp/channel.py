"""The two ways of RTP to a client: interleaved in the RTSP connection, or UDP."""

import asyncio
from typing import Protocol

_UDP_TRIES = 20


class Channel(Protocol):
    """Carries RTP and RTCP packets of one stream to one client."""

    @property
    def transport_header(self) -> str:
        """The Transport header of the reply to SETUP, without the SSRC."""
        ...

    @property
    def backlog(self) -> int:
        """Bytes that the client has not taken yet."""
        ...

    def send_rtp(self, packets: list[bytes]) -> None:
        """Send RTP packets; never blocks."""
        ...

    def send_rtcp(self, packet: bytes) -> None:
        """Send an RTCP packet; never blocks."""
        ...

    def close(self) -> None:
        """Free what the channel alone holds."""
        ...


class InterleavedChannel:
    """Frames of ``$``, channel and length in the RTSP connection (RFC 2326 §10.12)."""

    def __init__(self, writer: asyncio.StreamWriter, rtp: int, rtcp: int) -> None:
        self._writer = writer
        self._rtp = b"$" + bytes((rtp,))
        self._rtcp = b"$" + bytes((rtcp,))
        self.transport_header = f"RTP/AVP/TCP;unicast;interleaved={rtp}-{rtcp}"

    @property
    def backlog(self) -> int:
        """Bytes in the connection's write buffer."""
        waiting: int = self._writer.transport.get_write_buffer_size()
        return waiting

    def send_rtp(self, packets: list[bytes]) -> None:
        """Write the packets in one go; to a client that has gone, nothing."""
        if self._writer.is_closing():
            return
        parts = [part for packet in packets for part in (self._rtp, len(packet).to_bytes(2, "big"), packet)]
        self._writer.write(b"".join(parts))

    def send_rtcp(self, packet: bytes) -> None:
        """Write one RTCP packet; to a client that has gone, nothing."""
        if not self._writer.is_closing():
            self._writer.write(self._rtcp + len(packet).to_bytes(2, "big") + packet)

    def close(self) -> None:
        """Nothing: the connection belongs to the RTSP session."""


class UdpChannel:
    """A pair of UDP sockets, RTP on the even port and RTCP on the next (RFC 3550 §11)."""

    def __init__(
        self, rtp: asyncio.DatagramTransport, rtcp: asyncio.DatagramTransport, peer: tuple[str, int, int]
    ) -> None:
        self._transports = (rtp, rtcp)
        self._host, self._rtp_port, self._rtcp_port = peer
        own = [transport.get_extra_info("sockname")[1] for transport in self._transports]
        self.transport_header = (
            f"RTP/AVP;unicast;client_port={self._rtp_port}-{self._rtcp_port};server_port={own[0]}-{own[1]}"
        )

    @property
    def backlog(self) -> int:
        """None: UDP waits for nobody, what the socket cannot take is lost."""
        return 0

    def send_rtp(self, packets: list[bytes]) -> None:
        """Send the packets from the even port."""
        for packet in packets:
            self._transports[0].sendto(packet, (self._host, self._rtp_port))

    def send_rtcp(self, packet: bytes) -> None:
        """Send one RTCP packet from the odd port."""
        self._transports[1].sendto(packet, (self._host, self._rtcp_port))

    def close(self) -> None:
        """Close both sockets."""
        for transport in self._transports:
            transport.close()


async def open_udp(host: str, peer: tuple[str, int, int]) -> UdpChannel:
    """A channel from a free pair of ports of `host` to `peer`: address, RTP port, RTCP port.

    Raises:
        OSError: no pair of ports is free.
    """
    for attempt in range(1, _UDP_TRIES + 1):
        rtp = await _bound(host, 0)
        port: int = rtp.get_extra_info("sockname")[1]
        if port % 2 == 0:
            try:
                return UdpChannel(rtp, await _bound(host, port + 1), peer)
            except OSError:
                if attempt == _UDP_TRIES:
                    rtp.close()
                    raise
        rtp.close()
    raise OSError("no even UDP port with a free neighbour")


async def _bound(host: str, port: int) -> asyncio.DatagramTransport:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(host, port))
    return transport
