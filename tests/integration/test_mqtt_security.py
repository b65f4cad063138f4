"""Who comes in and what each may do: certificates, passwords, the access list, and limits on who is unknown."""

import asyncio
from pathlib import Path

import pytest
import uvloop
from harness.authority import Authority
from harness.endpoint import Client, Desk, press, running, until

from gateway.alarms.packets import Disconnect, Puback, Publish, Suback, Subscribe, Will
from gateway.alarms.reasons import Reason
from gateway.errors import PermanentError
from gateway.settings import AccessSettings, DeviceNetworkSettings, MqttTlsSettings, MqttUserSettings
from gateway.storage import PasswordHasher

EVENT = "campus/east/button/{}/event"


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    made.gate.set()
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def tls(authority: Authority) -> MqttTlsSettings:
    certificate, key = authority.issue("gateway")
    return MqttTlsSettings(
        host="127.0.0.1", port=0, certificate_file=certificate, key_file=key, client_ca_file=authority.folder / "ca.pem"
    )


async def test_a_certificate_says_who_a_device_is_and_what_it_may_do(
    desk: Desk, authority: Authority, tls: MqttTlsSettings
) -> None:
    async with running(desk, tls=tls) as endpoint:
        context = authority.client_context("btn-01")
        client = await Client.open(endpoint.tls_port, context, client_id="any", protocol_level=5)
        await client.send(press(1))
        await client.expect(Puback(1))
        await client.send(Publish(topic=EVENT.format("btn-02"), payload=b"{}", qos=1, packet_id=2))
        await client.expect(Puback(2, Reason.NOT_AUTHORIZED))
        await client.send(Subscribe(3, (("campus/east/button/btn-01/feedback", 1), ("campus/#", 1))))
        await client.expect(Suback(3, (1, Reason.NOT_AUTHORIZED)))
        await client.close()
        await until(lambda: len(desk.faults) == 2)
    assert [each.topic for each in desk.handled] == [EVENT.format("btn-01")]
    assert [fault[0] for fault in desk.faults] == ["refused_publish", "refused_subscription"]


async def test_the_older_version_is_acknowledged_once_its_refusal_is_on_record(
    desk: Desk, authority: Authority, tls: MqttTlsSettings
) -> None:
    async with running(desk, tls=tls) as endpoint:
        client = await Client.open(endpoint.tls_port, authority.client_context("btn-01"), client_id="a")
        await client.send(Publish(topic=EVENT.format("btn-02"), payload=b"{}", qos=1, packet_id=2))
        await client.expect(Puback(2))
        assert [fault[0] for fault in desk.faults] == ["refused_publish"]
        await client.close()
    assert desk.handled == []


async def test_a_will_on_a_foreign_topic_is_refused(desk: Desk, authority: Authority, tls: MqttTlsSettings) -> None:
    will = Will(topic="campus/east/button/btn-02/state", payload=b"{}")
    async with running(desk, tls=tls) as endpoint:
        client = await Client.open(endpoint.tls_port, authority.client_context("btn-01"), client_id="a", will=will)
        await client.close()
        await until(lambda: endpoint.statistics.connections == 0)
    assert desk.handled == []
    assert [fault[0] for fault in desk.faults] == ["refused_publish"]


@pytest.mark.parametrize("shown", ["none", "foreign"])
async def test_no_certificate_or_a_foreign_one_ends_in_the_handshake(
    desk: Desk, authority: Authority, tls: MqttTlsSettings, tmp_path: Path, shown: str
) -> None:
    context = authority.client_context()
    if shown == "foreign":
        context.load_cert_chain(*Authority.make(tmp_path, "other").issue("btn-01"))
    async with running(desk, tls=tls) as endpoint:
        client = None
        try:
            client = await Client.open(endpoint.tls_port, context, client_id="a")
        except (OSError, AssertionError):
            pass
        else:
            raise AssertionError("it came in")
        finally:
            if client is not None:
                await client.close()
        await until(lambda: len(desk.faults) == 1 and endpoint.statistics.connections == 0)
    assert desk.faults[0][0] == "tls_handshake"


async def test_tls_without_certificate_or_password_is_no_way_in(
    desk: Desk, authority: Authority, tls: MqttTlsSettings
) -> None:
    loose = tls.model_copy(update={"require_certificate": False})
    async with running(desk, tls=loose) as endpoint:
        client = await Client.open(endpoint.tls_port, authority.client_context(), client_id="a", protocol_level=5)
        assert client.connack.code == Reason.NOT_AUTHORIZED
        await client.close()


async def test_half_a_handshake_is_ended_and_counts(desk: Desk, tls: MqttTlsSettings) -> None:
    async with running(desk, tls=tls, connect_timeout_seconds=0.5, max_connections_per_address=2) as endpoint:
        clients = [await Client.open(endpoint.tls_port) for _ in range(4)]
        await clients[3].send_raw(b"\x16\x03\x01")
        await until(lambda: desk.faults[:1] != [] and endpoint.statistics.connections <= 2)
        await until(lambda: endpoint.statistics.connections == 0)
        for client in clients:
            await client.close()
    assert "too_many_connections" in {fault[0] for fault in desk.faults}


async def test_bad_tls_files_are_named(desk: Desk, tls: MqttTlsSettings, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("no certificate")
    for key in ("certificate_file", "client_ca_file"):
        with pytest.raises(PermanentError) as error:
            async with running(desk, tls=tls.model_copy(update={key: tmp_path / "bad"})):
                pass
        assert error.value.where == f"mqtt.tls.{key}"


async def test_a_password_is_checked_off_the_loop_and_remembered(desk: Desk) -> None:
    hasher = PasswordHasher()
    calls = 0

    async def verify(hashed: str, password: str) -> bool:
        nonlocal calls
        calls += 1
        return await hasher.verify(hashed, password)

    users = (MqttUserSettings(name="btn-01", password_hash=await hasher.hash("secret")),)
    async with running(desk, verify=verify, users=users, allow_anonymous=False) as endpoint:
        for number, (name, password, level, code) in enumerate(
            [
                ("btn-01", b"secret", 5, 0),
                ("btn-01", b"secret", 4, 0),
                ("btn-01", b"wrong", 5, Reason.BAD_CREDENTIALS),
                ("btn-01", b"wrong", 4, 5),
                ("nobody", b"secret", 5, Reason.BAD_CREDENTIALS),
                (None, None, 5, Reason.NOT_AUTHORIZED),
            ]
        ):
            client = await Client.open(
                endpoint.port, client_id=f"c{number}", username=name, password=password, protocol_level=level
            )
            assert client.connack.code == code
            await client.close()
    assert calls == 4
    assert not any("secret" in part or "wrong" in part for fault in desk.faults for part in fault)


async def test_nobody_takes_the_session_of_another_user(desk: Desk) -> None:
    async def verify(_hashed: str, password: str) -> bool:
        return password == "good"

    users = tuple(MqttUserSettings(name=name, password_hash="$argon2id$x") for name in ("a", "b"))
    async with running(desk, verify=verify, users=users) as endpoint:
        mine = await Client.open(endpoint.port, client_id="id", username="a", password=b"good", protocol_level=5)
        other = await Client.open(endpoint.port, client_id="id", username="b", password=b"good", protocol_level=5)
        assert other.connack.code == Reason.NOT_AUTHORIZED
        await mine.nothing_more()
        await mine.close()
        await other.close()


async def test_rules_say_who_may_do_what_with_u_and_c(desk: Desk) -> None:
    async def verify(_hashed: str, _password: str) -> bool:
        return True

    users = tuple(MqttUserSettings(name=name, password_hash="$argon2id$x") for name in ("a", "b"))
    access = (
        AccessSettings(topic="site/%u/%c/#"),
        AccessSettings(topic="read/+", allow="subscribe", users=("a",)),
    )
    async with running(desk, verify=verify, users=users, access=access) as endpoint:
        client = await Client.open(endpoint.port, client_id="c1", username="a", password=b"", protocol_level=5)
        for number, (topic, reason) in enumerate(
            [
                ("site/a/c1/x", Reason.NO_MATCHING_SUBSCRIBERS),
                ("site/a/c2/x", Reason.NOT_AUTHORIZED),
                ("read/x", Reason.NOT_AUTHORIZED),
            ],
            start=1,
        ):
            await client.send(Publish(topic=topic, payload=b"", qos=1, packet_id=number))
            await client.expect(Puback(number, reason))
        filters = (("read/+", 0), ("read/#", 0), ("$share/g/read/x", 0), ("site/a/c1/#", 0), ("site/#", 0), ("#", 0))
        await client.send(Subscribe(9, filters))
        no = Reason.NOT_AUTHORIZED
        await client.expect(Suback(9, (0, no, 0, 0, no, no)))
        await client.close()
        tricky = await Client.open(endpoint.port, client_id="+", username="b", password=b"", protocol_level=5)
        await tricky.send(Subscribe(9, (("site/b/x/#", 0), ("read/x", 0))))
        await tricky.expect(Suback(9, (no, no)))
        await tricky.close()


async def test_a_device_network_has_a_limit_of_its_own(desk: Desk) -> None:
    networks = (DeviceNetworkSettings(network="127.0.0.0/8", max_connections_per_address=5),)
    async with running(desk, networks=networks, max_connections_per_address=1) as endpoint:
        clients = [await Client.open(endpoint.port, client_id=f"c{number}") for number in range(5)]
        over = await Client.open(endpoint.port)
        assert await over.read() is None
        for client in (*clients, over):
            await client.close()


async def test_a_packet_whose_bytes_drip_is_ended_though_its_client_never_was_silent(desk: Desk) -> None:
    async with running(desk, connect_timeout_seconds=0.5) as endpoint:
        client = await Client.open(endpoint.port, client_id="slow", keepalive=0)
        await client.send_raw(b"\x30\xff\x01")
        until_end = asyncio.get_running_loop().time() + 5
        while endpoint.statistics.connections and asyncio.get_running_loop().time() < until_end:
            await asyncio.sleep(0.1)
            try:
                await client.send_raw(b"\x00")
            except ConnectionError:
                break
        assert endpoint.statistics.connections == 0
        await client.close()


async def test_queues_for_who_is_away_are_bounded(desk: Desk) -> None:
    async with running(desk) as endpoint:
        away = await Client.open(endpoint.port, client_id="away", clean_session=False)
        await away.send(Subscribe(1, (("t", 1),)))
        await away.expect(Suback(1, (1,)))
        await away.send(Disconnect())
        await away.close()
        await until(lambda: endpoint.statistics.connections == 0)
        sender = await Client.open(endpoint.port, client_id="sender")
        for number in range(1, 41):
            await sender.send(Publish(topic="t", payload=bytes(60_000), qos=1, packet_id=number))
            await sender.expect(Puback(number))
        away = await Client.open(endpoint.port, client_id="away", clean_session=False)
        got = 0
        while isinstance(packet := await away.read(), Publish):
            got += 1
            await away.send(Puback(packet.packet_id))
            if packet.packet_id == 40:
                break
        assert got == 4
        await sender.close()
        await away.close()


@pytest.mark.parametrize("part", ["certificate", "none", "foreign", "half"])
def test_tls_is_the_same_on_the_daemon_s_own_loop(
    authority: Authority, tls: MqttTlsSettings, tmp_path: Path, part: str
) -> None:
    async def run() -> None:
        desk = Desk()
        desk.gate.set()
        if part == "certificate":
            await test_a_certificate_says_who_a_device_is_and_what_it_may_do(desk, authority, tls)
        elif part == "half":
            await test_half_a_handshake_is_ended_and_counts(desk, tls)
        else:
            await test_no_certificate_or_a_foreign_one_ends_in_the_handshake(desk, authority, tls, tmp_path, part)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
