"""Real children on loopback: from a simulated ONVIF camera to a warning, and the watch-list's changes on the way."""

import asyncio
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from harness.tiny_embedder import write_tiny_embedder
from vision_bench import House, built, cut_clip, until, yunet_file

from gateway.errors import PermanentError
from gateway.events import CameraFault, CameraLost, CameraRestored
from gateway.settings import CameraSettings
from gateway.simulators.camera import Ports, SimulatedCamera, write_test_recording
from gateway.workers import Workers, passwords

PASSWORD = "p@ss:w/rd#1"
DECODERS = (b"libav", b"cv2", b"onnxruntime", b"_dlib")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def decoders_in(workers: Workers, name: str) -> list[bytes]:
    pid = next(each.pid for each in workers.workers() if each.name == name)
    maps = Path(f"/proc/{pid}/maps").read_bytes()
    return [each for each in DECODERS if each in maps]


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def left_behind(*folders: Path) -> set[str]:
    """The names of all files."""
    return {path.name for folder in folders for path in folder.rglob("*") if path.is_file()}


async def test_a_camera_over_onvif_to_a_warning_and_its_end(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = cut_clip(built("gate-640x360.mp4"), tmp_path / "clip.mp4", 300, 450)  # he is away for 3 s
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("HOME", str(temporary))
    house = House()
    async with house.open(models, yunet_file()) as workers:
        await house.enrol(workers, "listed", "obama")
        async with SimulatedCamera(clip, username="gate", password=PASSWORD) as camera:
            ports = Ports(http=port_of(camera.onvif_url), rtsp=port_of(camera.rtsp_url))
            await workers.assign(
                CameraSettings(id="cam-01", url=camera.onvif_url, watch_faces=True, username="gate", password=PASSWORD)
            )
            await until(lambda: house.matches)
            assert (await workers.picture("cam-01", 320)).startswith(b"\xff\xd8\xff")
            assert decoders_in(workers, "devices") == []
            assert len(decoders_in(workers, "video-1")) > 2

            house.people.clear()
            house.change(workers)
            assert await workers.applied(house.revision)
            warned = len(house.matches)
            seen = workers.cameras()[0].status
            assert seen is not None
            await until(lambda: (now := workers.cameras()[0].status) and now.frames_seen > seen.frames_seen + 200)
            assert len(house.matches) == warned, "a removed person is warned of no more"
        await until(lambda: any(isinstance(event, CameraLost) for event in house.events))
        assert workers.cameras()[0].state == "lost"
        async with SimulatedCamera(clip, ports=ports, username="gate", password=PASSWORD):
            await until(lambda: any(isinstance(event, CameraRestored) for event in house.events))

    match, picture = house.matches[0], house.pictures[0]
    assert (match.person, match.category, match.camera, match.list_revision) == ("listed", "banned", "cam-01", 1)
    assert match.distance < match.threshold
    assert (picture.event, picture.person) == (match.id, "listed")
    assert house.described[0].description["model"] == "Simulated Camera"
    assert left_behind(temporary) == set()
    assert all(name.endswith(".onnx") for name in left_behind(models))


async def test_a_corrected_password_file_needs_no_restart(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_LOOK_SECONDS", 0.3)
    recording, house, file = write_test_recording(tmp_path / "short.mp4", frames=12), House(), tmp_path / "password"
    file.write_text("wrong\n")
    async with (
        house.open(models, yunet_file()) as workers,
        SimulatedCamera(recording, username="gate", password=PASSWORD) as camera,
    ):
        urls = {"onvif": camera.onvif_url, "rtsp": camera.rtsp_url}
        for name, url in urls.items():
            await workers.assign(CameraSettings(id=name, url=url, username="gate", password_file=file))
        refused = {"onvif": "credentials_wrong", "rtsp": "unauthorized"}
        await until(lambda: {each.camera: each.reason for each in workers.cameras()} == refused)
        file.write_text(f"{PASSWORD}\n")
        await until(lambda: {each.state for each in workers.cameras()} == {"live"})


async def test_a_child_that_cannot_go_on_says_why(models: Path, tmp_path: Path) -> None:
    model, house = write_tiny_embedder(tmp_path, dimension=25), House()
    async with house.open(models, yunet_file(), embedder=model) as workers:
        await until(lambda: any(each.reason for each in workers.workers()))
        (gallery,) = workers.workers()
    assert gallery.reason == f"{tmp_path}/tiny.toml: dimension: the network answers (1, 24), the file says (n, 25)"
    assert "docs/embedders.md" in gallery.remedy


async def test_both_children_tell_the_end_of_a_certificate_as_one_event(models: Path, tmp_path: Path) -> None:
    recording, house = write_test_recording(tmp_path / "short.mp4", frames=12), House()
    quirks = ["https", "rtsps", "certificate-ends=20"]
    async with house.open(models, yunet_file()) as workers, SimulatedCamera(recording, quirks=quirks) as camera:
        trusted = camera.inside.fingerprint
        await workers.assign(CameraSettings(id="cam-01", url=camera.onvif_url, tls_fingerprint=trusted))
        await until(lambda: len(faults_of(house)) == 2)
        await until(lambda: (now := workers.cameras()[0].status) and now.certificate_days_left is not None)
        state = workers.cameras()[0]

    assert {each.state for each in faults_of(house)} == {"certificate_ends"}
    assert len({each.id for each in faults_of(house)}) == 1, "the journal keeps one"
    assert state.status is not None
    assert state.status.certificate_days_left == state.description["certificate_days_left"]
    assert state.description["certificate_days_left"] in (19, 20)


def faults_of(house: House) -> list[CameraFault]:
    return [event for event in house.events if isinstance(event, CameraFault)]


async def test_the_gallery_child_judges_photos(models: Path) -> None:
    house = House()
    async with house.open(models, yunet_file()) as workers:
        await house.enrol(workers, "listed", "obama")
        assert await workers.applied(1)

        refused = {
            name: await workers.embed(person="other", photo="x", wrapped_key=b"", image=image)
            for name, image in {
                "two": built("photos/two-people.jpg").read_bytes(),
                "text": b"I am a text file named photo.jpg\n",
                "cut": built("portraits/biden.jpg").read_bytes()[:2000],
                "huge": bytes(13 * 1024 * 1024),
                "alike": built("portraits/obama2.jpg").read_bytes(),
            }.items()
        }
        assert {name: reply.refusal for name, reply in refused.items()} == {
            "two": "several_faces",
            "text": "not_an_image",
            "cut": "not_an_image",
            "huge": "not_an_image",
            "alike": "look_alike",
        }
        assert all(reply.detail and not reply.template and not reply.sealed_photo for reply in refused.values())
        assert [each.person for each in refused["alike"].look_alikes] == ["listed"]

        found = await workers.identify(built("portraits/obama3.jpg").read_bytes())
        assert [each.person for each in found.candidates] == ["listed"]
        assert found.candidates[0].distance < found.threshold
        stranger = await workers.identify(built("portraits/biden.jpg").read_bytes())
        assert all(each.distance > stranger.threshold for each in stranger.candidates)
        assert (await workers.identify(b"text")).refusal == "not_an_image"

        await _check_a_second_photo(workers, house.people["listed"].wrapped_key)


async def _check_a_second_photo(workers: Workers, key: bytes) -> None:
    """It is sealed under the person's key; what is opened is a fresh JPEG, for this photo and key alone."""
    image = built("portraits/obama3.jpg").read_bytes()
    reply = await workers.embed(person="listed", photo="listed-2", wrapped_key=key, image=image)
    assert (reply.refusal, reply.wrapped_key) == ("", key)
    assert reply.own_distance is not None
    assert reply.own_distance < reply.threshold
    again = await workers.embed(person="listed", photo="listed-4", wrapped_key=key, image=image)
    assert reply.digest == again.digest != b""
    stranger = built("portraits/biden.jpg").read_bytes()
    wrong = await workers.embed(person="listed", photo="listed-3", wrapped_key=key, image=stranger)
    assert (wrong.refusal, wrong.template != b"") == ("", True), "it is taken, for the operator knows better"
    assert wrong.own_distance is not None
    assert wrong.own_distance > wrong.threshold
    opened = await workers.open_photo(
        person="listed", photo="listed-2", wrapped_key=key, sealed_photo=reply.sealed_photo
    )
    assert opened.startswith(b"\xff\xd8\xff")
    assert b"Exif" not in opened
    assert opened[:200] not in reply.sealed_photo
    with pytest.raises(PermanentError):
        await workers.open_photo(person="listed", photo="listed-1", wrapped_key=key, sealed_photo=reply.sealed_photo)
    other = await workers.embed(person="other", photo="x", wrapped_key=key, image=image)
    assert other.refusal in {"look_alike", "key_unusable"}


async def test_a_killed_gallery_child_and_a_killed_video_child_come_back_with_the_list(
    models: Path, tmp_path: Path
) -> None:
    clip = cut_clip(built("empty-640x360.mp4"), tmp_path / "clip.mp4", 0, 60)
    house = House()
    async with house.open(models, yunet_file()) as workers:
        await workers.assign(CameraSettings(id="cam-01", url=f"file://{clip}", watch_faces=True))
        await house.enrol(workers, "listed", "obama")
        await until(lambda: workers.gallery().applied == {"video-1": 1})
        for state in workers.workers():
            os.kill(state.pid, 9)
        await until(lambda: all(each.restarts == 1 for each in workers.workers()))
        house.change(workers)
        assert await workers.applied(2)
        assert workers.gallery().templates == 1
        await until(lambda: workers.gallery().applied == {"video-1": 2})
        await until(lambda: workers.cameras()[0].state == "live")
    assert house.events == []


async def test_what_is_no_camera_is_a_named_state(models: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    house = House()
    async with house.open(models, yunet_file()) as workers:
        await workers.assign(CameraSettings(id="missing", url=f"file://{tmp_path}/none.mp4"))
        await workers.assign(CameraSettings(id="text", url=f"file://{text}"))
        await until(lambda: len([event for event in house.events if isinstance(event, CameraLost)]) == 2)
        await asyncio.sleep(0.5)
        states = {each.camera: (each.state, each.reason) for each in workers.cameras()}
        await workers.withdraw("text")
        assert [each.camera for each in workers.cameras()] == ["missing"]
    assert states == {"missing": ("lost", "not_found"), "text": ("lost", "invalid_data")}
    assert len([event for event in house.events if isinstance(event, CameraLost)]) == 2
