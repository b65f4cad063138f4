"""Where a new camera goes: to a free core, then to whoever has the least to do."""

from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.wire import CameraAssigned, CameraStatus
from gateway.workers.book import CameraBook
from gateway.workers.fleet import Fleet

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass
class Child:
    role: str
    name: str
    looping: bool = False


class Site:
    """Two cores; each camera is placed as the service does it."""

    def __init__(self) -> None:
        self.book = CameraBook("east")
        self.fleet = Fleet(Child, self.book, cameras_per_worker=4, cores=2)  # type: ignore[arg-type]  # as placing sees it
        self._number = 0

    def add(self, load: float | None = None) -> str:
        """One more camera, which says what it takes if anything; the child that got it."""
        self._number += 1
        name, worker = f"cam-{self._number:02}", self.fleet.place().name
        self.book.assign(
            CameraAssigned(
                camera=name, name=name, place="", url="rtsp://x/", watch_faces=True, loop=False, looks_per_second=5
            ),
            worker,
        )
        if load is not None:
            self.book.note_status(CameraStatus(camera=name, state="live", load=load), NOW)
        return worker


def test_each_core_gets_a_child_before_any_gets_a_second_camera() -> None:
    site = Site()
    assert [site.add() for _ in range(4)] == ["video-1", "video-2", "video-1", "video-2"]


def test_a_new_camera_goes_where_the_least_is_to_do_not_where_the_fewest_are() -> None:
    site = Site()
    assert [site.add(0.5), site.add(0.1)] == ["video-1", "video-2"]
    assert [site.add(0.1) for _ in range(3)] == ["video-2"] * 3, "0.4 for four is less than 0.5 for one"
    assert site.add(0.1) == "video-1", "a child has room for four"


def test_cameras_at_rest_do_not_draw_every_new_one() -> None:
    site = Site()
    assert [site.add(0.14), site.add(0.0)] == ["video-1", "video-2"]
    assert [site.add(0.0) for _ in range(3)] == ["video-2", "video-2", "video-1"]
