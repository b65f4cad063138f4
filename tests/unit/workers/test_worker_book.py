"""What is known of cameras: a loss is told once, its return once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.events import CameraFault, CameraLost, CameraRestored, FaceMatched
from gateway.wire import CameraAssigned, CameraDescribed, CameraStatus, ContactsHeard, StreamAddress, WarnedOf
from gateway.workers.book import CameraBook

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def assigned(camera: str = "cam-01", url: str = "rtsp://127.0.0.1/") -> CameraAssigned:
    return CameraAssigned(
        camera=camera, name="东门", place="gate", url=url, watch_faces=True, loop=False, looks_per_second=5
    )


def lost(reason: str = "stalled") -> CameraLost:
    return CameraLost(id="1", source="/c", subject="cam-01", time=NOW, camera="cam-01", reason=reason)


def restored() -> CameraRestored:
    return CameraRestored(id="2", source="/c", subject="cam-01", time=NOW, camera="cam-01")


def status(state: str) -> CameraStatus:
    return CameraStatus(camera="cam-01", state=state, reason="")


def with_camera() -> CameraBook:
    book = CameraBook("east")
    book.assign(assigned(), "video-1")
    return book


def test_a_loss_is_news_once_until_its_return() -> None:
    book = with_camera()
    assert [book.is_news(lost()), book.is_news(lost("refused"))] == [True, False]
    assert book.states()[0].reason == "refused"
    assert [book.is_news(restored()), book.is_news(restored()), book.is_news(lost())] == [True, False, True]


def test_a_return_that_no_child_tells_is_told_here() -> None:
    book = with_camera()
    book.is_news(lost())
    later = NOW + timedelta(seconds=30)
    assert book.note_status(status("live"), later) is None
    event = book.note_status(status("live"), later)
    assert event is not None
    assert (event.outage, event.name, event.source) == (30.0, "东门", "/site/east/camera/cam-01")
    assert book.note_status(status("live"), later) is None


def test_a_return_needs_heartbeats_in_a_row() -> None:
    book = with_camera()
    book.is_news(lost())
    states = ["live", "lost", "live"]
    assert [book.note_status(status(each), NOW) for each in states] == [None, None, None]


def test_a_crash_loop_loses_the_cameras_that_are_not_lost_yet() -> None:
    book = with_camera()
    book.assign(assigned("cam-02"), "video-1")
    book.assign(assigned("cam-03"), "video-2")
    book.is_news(lost())
    assert [each.camera for each in book.lost_with("video-1", NOW)] == ["cam-02"]
    assert list(book.lost_with("video-1", NOW)) == []


def test_a_new_entry_of_a_camera_keeps_its_loss_and_forgets_its_address() -> None:
    book = with_camera()
    book.is_news(lost())
    book.note_address(StreamAddress(camera="cam-01", url="rtsp://127.0.0.1/1"))
    book.assign(assigned(url="onvif://127.0.0.1"), "video-1")
    assert not book.is_news(lost())
    assert book.addresses_of("video-1") == ()
    assert [each.camera for each in book.by_onvif()] == ["cam-01"]


def test_a_camera_that_stops_answering_keeps_what_it_said_of_itself() -> None:
    book = with_camera()
    book.note_described(CameraDescribed(camera="cam-01", state="ok", description={"model": "X"}))
    book.note_described(CameraDescribed(camera="cam-01", state="unreachable", remedy="check it"))
    state = book.states()[0]
    assert (state.asked, state.remedy, state.description) == ("unreachable", "check it", {"model": "X"})


def test_the_way_by_which_events_are_heard_is_shown_at_once() -> None:
    book = with_camera()
    book.note_heard(ContactsHeard(camera="cam-01", heard=True, by="metadata"))
    assert book.states()[0].description == {}
    book.note_described(CameraDescribed(camera="cam-01", state="ok", description={"model": "X", "events_by": ""}))
    assert book.states()[0].description == {"model": "X", "events_heard": True, "events_by": "metadata"}
    book.note_heard(ContactsHeard(camera="cam-01", heard=False, reason="gone"))
    assert book.states()[0].description == {"model": "X", "events_heard": False, "events_by": ""}


def test_what_is_said_of_unknown_cameras_is_no_fault() -> None:
    book = CameraBook("east")
    book.note_address(StreamAddress(camera="gone", url="rtsp://127.0.0.1/"))
    book.note_described(CameraDescribed(camera="gone", state="ok"))
    book.note_heard(ContactsHeard(camera="gone", heard=True))
    assert book.note_status(status("live"), NOW) is None
    assert book.withdraw("gone") is None
    assert book.is_news(CameraFault(id="3", source="/c", subject="gone", time=NOW, camera="gone", state="refused"))


def test_a_loss_on_its_way_when_its_camera_is_withdrawn_is_no_news() -> None:
    book = with_camera()
    book.withdraw("cam-01")
    assert [book.is_news(lost()), book.is_news(restored())] == [False, False]


def test_without_its_child_a_camera_is_away() -> None:
    book = with_camera()
    book.note_status(status("live"), NOW)
    book.worker_gone("video-1")
    assert book.states()[0].state == "worker_away"


def matched(person: str, camera: str = "cam-01") -> FaceMatched:
    return FaceMatched(
        id=person,
        source="/c",
        subject=camera,
        time=NOW,
        camera=camera,
        person=person,
        distance=0.3,
        threshold=0.46,
        looks=3,
        face_height=60,
        quality=0.5,
        model="net",
        detector="test/1",
        passage="p",
    )


def test_the_last_warnings_are_told_to_whoever_has_the_camera_next() -> None:
    book = CameraBook("east", cooldown_seconds=60)
    book.assign(assigned(), "video-1")
    for person, at in (("p1", 0.0), ("p2", 30.0), ("p1", 35.0)):
        book.note_warning(matched(person), at)
    book.note_warning(matched("p3", "gone"), 35.0)
    book.note_warning(lost(), 35.0)
    book.worker_gone("video-1")
    book.assign(assigned(), "video-2")
    assert book.told("cam-01", 80.0).warned == (
        WarnedOf(person="p1", seconds_ago=45.0),
        WarnedOf(person="p2", seconds_ago=50.0),
    )
    assert [each.person for each in book.told("cam-01", 92.0).warned] == ["p1"]
    assert book.told("cam-01", 95.0).warned == ()


def test_what_a_child_has_to_do_is_what_its_cameras_take() -> None:
    book = with_camera()
    book.assign(assigned("cam-02"), "video-1")
    assert book.load_of("video-1") == pytest.approx(0.24), "who has said nothing counts as usual"
    book.note_status(replace(status("live"), load=0.31), NOW)
    assert book.load_of("video-1") == pytest.approx(0.43)
    book.note_status(replace(status("live"), load=0.01), NOW)
    assert book.load_of("video-1") == pytest.approx(0.18), "a still camera may have people in a moment"
    book.note_status(replace(status("lost"), load=0.31), NOW)
    assert book.load_of("video-1") == pytest.approx(0.24)


def test_a_loss_without_an_address_says_what_the_camera_said_when_it_was_asked() -> None:
    book = CameraBook("east")
    book.assign(assigned(url="onvif://127.0.0.1"), "video-1")
    book.note_described(CameraDescribed(camera="cam-01", state="credentials_wrong", remedy="Check the password."))
    event = book.explained(lost("no_stream_address"))
    assert isinstance(event, CameraLost)
    assert event.reason == "credentials_wrong"
    assert book.explained(lost("stalled")) == lost("stalled")
    assert book.explained(restored()) == restored()
    book.note_status(replace(status("connecting"), reason="no_stream_address"), NOW)
    state = book.states()[0]
    assert (state.reason, state.asked, state.remedy) == ("credentials_wrong",) * 2 + ("Check the password.",)


def test_another_password_is_needed_by_what_shows_nothing_or_refuses() -> None:
    book = with_camera()
    assert book.needs_password("cam-01")
    book.note_status(status("live"), NOW)
    assert not book.needs_password("cam-01")
    book.note_described(CameraDescribed(camera="cam-01", state="credentials_wrong"))
    assert book.needs_password("cam-01")
