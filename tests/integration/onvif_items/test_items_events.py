"""Acceptance items 3 and 20 to 32: events, heard from the simulated camera as the devices child hears them."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from harness.onvif_bench import Bench, Hearing

from gateway.cameras import Kind, PushReceiver


@pytest.mark.parametrize("quirk", ["double-port", "empty-host", "moving-port", "wrong-host"])
async def test_item_03_the_subscription_is_found_at_any_address(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        opened.simulated.inside.happenings.set("input/1", active=True)
        await hearing.until(hearing.closed)
        assert hearing.losses == []


async def test_item_20_events_that_are_denied_are_heard(bench: Bench) -> None:
    async with bench("events-denied") as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        opened.simulated.inside.happenings.set("input/1", active=True)
        await hearing.until(hearing.closed)


async def test_item_20_events_that_are_claimed_are_a_state_and_no_loop(bench: Bench) -> None:
    async with bench("events-claimed") as opened, Hearing(opened.client) as hearing:
        await hearing.until(lambda: bool(hearing.losses))
        await asyncio.sleep(0.3)
        assert len(hearing.losses) == 1
        assert "no event service" in hearing.losses[0]
        assert opened.simulated.inside.device.counts["CreatePullPointSubscription"] == 1


async def test_item_20_a_camera_that_only_pushes_is_heard(bench: Bench) -> None:
    push = PushReceiver("127.0.0.1")
    try:
        async with bench("push-only") as opened:
            async with Hearing(opened.client, push) as hearing:
                await hearing.ready()
                opened.simulated.inside.happenings.set("input/1", active=True)
                await hearing.until(hearing.closed)
            assert opened.simulated.inside.subscriptions.alive == []
    finally:
        await push.close()


async def test_item_21_one_subscription_at_a_time_and_none_is_left(bench: Bench) -> None:
    async with bench("few-slots=1") as opened:
        for _ in range(3):
            async with Hearing(opened.client) as hearing:
                await hearing.ready()
                assert len(opened.simulated.inside.subscriptions.alive) == 1
                assert hearing.losses == []
            assert opened.simulated.inside.subscriptions.alive == []
        counters = opened.simulated.inside.subscriptions
        assert (counters.made, counters.ended) == (3, 3)


async def test_item_21_a_slot_that_a_crash_left_is_waited_for(bench: Bench) -> None:
    async with bench("few-slots=1") as opened:
        opened.simulated.inside.subscriptions.add("PT2S")
        async with Hearing(opened.client) as hearing:
            await hearing.ready()
            assert 1 <= len(hearing.losses) <= 4


async def test_item_22_minutes_that_are_read_as_seconds_become_an_absolute_time(bench: Bench) -> None:
    async with bench("minutes-as-seconds", "clock-off=-90") as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        (alive,) = opened.simulated.inside.subscriptions.alive
        assert 500 < alive.ends - time.monotonic() < 620
        assert opened.simulated.inside.subscriptions.made == 1


@pytest.mark.parametrize("quirk", ["nonsense-times", "no-renew"])
async def test_item_22_times_that_are_none_do_no_harm(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        opened.simulated.inside.happenings.set("input/1", active=True)
        await hearing.until(hearing.closed)
        assert hearing.losses == []


async def test_item_23_a_fault_means_a_new_subscription(bench: Bench) -> None:
    async with bench("pull-fault=1", "short-poll=0.1") as opened, Hearing(opened.client) as hearing:
        await hearing.until(lambda: len(hearing.losses) >= 2)
        assert opened.simulated.inside.subscriptions.made >= 2
        assert len(opened.simulated.inside.subscriptions.alive) <= 1


async def test_item_23_a_closed_connection_means_the_same_subscription(bench: Bench) -> None:
    async with bench("pull-drops") as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        opened.simulated.inside.happenings.set("input/1", active=True)
        await hearing.until(hearing.closed)
        assert opened.simulated.inside.subscriptions.made == 1
        assert hearing.losses == []


async def test_item_24_polls_that_end_early_are_healthy(bench: Bench) -> None:
    async with bench("short-poll=0.05") as opened, Hearing(opened.client) as hearing:
        await hearing.until(lambda: hearing.pulls > 5)
        opened.simulated.inside.happenings.set("input/1", active=True)
        await hearing.until(hearing.closed)
        assert hearing.losses == []
        assert opened.simulated.inside.subscriptions.made == 1


@pytest.mark.parametrize("quirks", [(), ("no-sync-point",)])
async def test_item_25_what_closed_during_an_outage_is_a_change(bench: Bench, quirks: tuple[str, ...]) -> None:
    async with bench(*quirks, "short-poll=0.1") as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        inside = opened.simulated.inside
        inside.subscriptions.forget_all()
        inside.happenings.set("input/1", active=True)
        await hearing.until(lambda: hearing.closed(initial=True))
        inside.subscriptions.forget_all()
        await hearing.until(lambda: len(hearing.losses) >= 2)
        pulls = hearing.pulls
        await hearing.until(lambda: hearing.pulls > pulls + 1)
        # Known already: told at the start, told closed, and never again.
        assert hearing.inputs().count(("1", True, True)) == 1
        assert all(each.changed for each in hearing.findings if each.active)


@pytest.mark.parametrize("quirk", ["padded-topics", "other-prefix", "more-items", "no-source", "no-namespace"])
async def test_item_26_topics_and_items_are_read_however_they_are_written(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        opened.simulated.inside.happenings.set("input/1", active=True)
        await hearing.until(hearing.closed)
        assert hearing.inputs()[-1][0] == ("" if quirk == "no-source" else "1")
        assert not hearing.book.unknown_topics


@pytest.mark.parametrize("quirk", ["state-one", "state-active", "other-names"])
async def test_item_27_states_are_understood_in_any_words(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        for name in ("input/1", "tamper", "motion"):
            opened.simulated.inside.happenings.set(name, active=True)
        await hearing.until(
            lambda: {each.kind for each in hearing.findings if each.active} >= {*Kind} - {Kind.OUTPUT, Kind.STORAGE}
        )


async def test_item_28_motion_that_never_ends_does_not_hide_the_next(bench: Bench) -> None:
    async with bench("stuck-motion") as opened, Hearing(opened.client) as hearing:
        await hearing.until(lambda: any(each.kind is Kind.MOTION for each in hearing.findings))
        first = len([each for each in hearing.findings if each.kind is Kind.MOTION])
        opened.simulated.inside.subscriptions.forget_all()
        await hearing.until(lambda: len([e for e in hearing.findings if e.kind is Kind.MOTION]) > first)
        assert len(hearing.losses) == 1


async def test_item_29_unknown_topics_are_counted(bench: Bench) -> None:
    async with bench("unknown-topics", "short-poll=0.05") as opened, Hearing(opened.client) as hearing:
        await hearing.until(lambda: hearing.book.unknown_topics["Acme/SmartFilter/LensAge"] >= 3)
        assert list(hearing.book.unknown_topics) == ["Acme/SmartFilter/LensAge"]
        assert opened.simulated.inside.subscriptions.made == 1


async def test_item_30_reference_parameters_are_sent_back(bench: Bench) -> None:
    async with bench("reference-parameters") as opened:
        async with Hearing(opened.client) as hearing:
            await hearing.ready()
            opened.simulated.inside.happenings.set("input/1", active=True)
            await hearing.until(hearing.closed)
        assert opened.simulated.inside.subscriptions.alive == []
        assert opened.simulated.inside.subscriptions.ended == 1


@pytest.mark.parametrize("quirk", ["bad-event-time", "clock-off=7200", "clock-off=-7200"])
async def test_item_31_the_time_of_an_event_is_ours(bench: Bench, quirk: str) -> None:
    async with bench(quirk) as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        opened.simulated.inside.happenings.set("input/1", active=True)
        await hearing.until(hearing.closed)
        at = next(each.at for each in hearing.findings if each.active)
        assert timedelta(0) <= datetime.now(UTC) - at < timedelta(seconds=10)


async def test_item_32_a_contact_does_not_wait_behind_a_storm_of_motion(bench: Bench) -> None:
    async with bench("event-storm=200") as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        await asyncio.sleep(1)
        opened.simulated.inside.happenings.set("input/1", active=True)
        await hearing.until(hearing.closed)
        motions = [each for each in hearing.findings if each.kind is Kind.MOTION]
        assert len(motions) <= 3


@pytest.mark.parametrize("quirk", ["metadata-only", "metadata-unset", "metadata-silent"])
@pytest.mark.parametrize("media", ["media1-only", "media2-only"])
async def test_item_20_a_camera_that_sends_events_by_its_metadata_alone_is_heard(
    bench: Bench, quirk: str, media: str
) -> None:
    async with bench(quirk, media, "wrong-host", "clock-off=7200") as opened:
        async with Hearing(opened.client) as hearing:
            await hearing.ready()
            assert hearing.way == "metadata"
            assert not hearing.closed()
            opened.simulated.inside.happenings.set("input/1", active=True)
            await hearing.until(hearing.closed)
            at = next(each.at for each in hearing.findings if each.active)
            assert timedelta(0) <= datetime.now(UTC) - at < timedelta(seconds=10)
            assert hearing.losses == []
        assert not opened.simulated.inside.metadata.sessions


async def test_item_25_what_closed_while_the_metadata_were_away_is_a_change(bench: Bench) -> None:
    async with bench("metadata-only") as opened, Hearing(opened.client) as hearing:
        await hearing.ready()
        inside = opened.simulated.inside
        for session in tuple(inside.metadata.sessions):
            session.hang_up()
        inside.happenings.set("input/1", active=True)
        await hearing.until(lambda: hearing.closed(initial=True))
        assert hearing.way == "metadata"
        assert len(hearing.losses) == 1
        assert hearing.inputs().count(("1", True, True)) == 1
        assert all(each.changed for each in hearing.findings if each.active)


async def test_item_20_compressed_metadata_are_refused_in_words(bench: Bench) -> None:
    async with bench("metadata-gzip") as opened, Hearing(opened.client) as hearing:
        await hearing.until(lambda: bool(hearing.losses))
        assert "no event service" in hearing.losses[0]
        assert "compressed (vnd.onvif.metadata.gzip)" in hearing.losses[0]
        assert not opened.simulated.inside.metadata.sessions
