"""Recordings are demuxed whole, and their time goes on through the turns."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from gateway.errors import PermanentError
from gateway.simulators.camera import write_test_recording
from gateway.simulators.camera.nal import SYNTAXES
from gateway.simulators.camera.recording import load_recording


@pytest.fixture(scope="module", params=["h264", "h265"])
def recording_file(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path_factory.mktemp("recording")
    return write_test_recording(folder / "squares.mp4", frames=24, codec=request.param)


def _recording_with_b_frames(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(10), options={"bf": "2", "g": "10", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(20):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes((number * 9 % 256,)) * plane.buffer_size)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_recording_is_read_whole(recording_file: Path) -> None:
    recording = load_recording(recording_file)

    assert (recording.width, recording.height, recording.frames_per_second) == (320, 180, 12)
    assert len(recording.units) == 24
    assert recording.duration == pytest.approx(2.0)
    assert [number for number, unit in enumerate(recording.units) if unit.keyframe] == [0, 12]


def test_a_keyframe_carries_its_parameter_sets_once(recording_file: Path) -> None:
    recording = load_recording(recording_file)

    sets, kind = recording.syntax.parameter_sets, recording.syntax.kind

    assert tuple(kind(unit) for unit in recording.units[12].nals[: len(sets)]) == sets
    assert all(kind(unit) not in sets for unit in recording.units[12].nals[len(sets) :])
    assert all(kind(unit) not in sets for unit in recording.units[1].nals)
    assert recording.parameter_sets == recording.units[12].nals[: len(sets)]


def test_parameter_sets_can_be_left_out(recording_file: Path) -> None:
    recording = load_recording(recording_file)
    bare = recording.without_parameter_sets()

    assert bare.parameter_sets == recording.parameter_sets
    assert bare.units[12].nals == recording.units[12].nals[len(recording.parameter_sets) :]
    assert bare.units[1] == recording.units[1]


def test_the_codec_is_told(tmp_path: Path) -> None:
    told = {
        codec: load_recording(write_test_recording(tmp_path / f"{codec}.mp4", frames=2, codec=codec)).syntax
        for codec in ("h264", "h265")
    }

    assert told == {"h264": SYNTAXES["h264"], "h265": SYNTAXES["hevc"]}


def test_annex_b_gives_the_same_units_as_mp4(recording_file: Path, tmp_path: Path) -> None:
    recording = load_recording(recording_file)
    raw = tmp_path / f"raw.{recording.syntax.codec}"
    raw.write_bytes(b"".join(b"\0\0\0\1" + part for unit in recording.units for part in unit.nals))

    again = load_recording(raw)

    assert [unit.nals for unit in again.units] == [unit.nals for unit in recording.units]
    assert again.parameter_sets == recording.parameter_sets


def test_time_goes_on_through_the_turns(recording_file: Path) -> None:
    recording = load_recording(recording_file)

    steps = {round(recording.due(number + 1) - recording.due(number), 6) for number in range(100)}

    assert steps == {round(1 / 12, 6)}
    assert recording.unit(24) is recording.unit(0)


@pytest.mark.parametrize(("seconds", "number"), [(0.0, 0), (0.09, 1), (1.99, 23), (2.01, 24), (20.0, 240)])
def test_number_at_is_the_last_one_due(recording_file: Path, seconds: float, number: int) -> None:
    assert load_recording(recording_file).number_at(seconds) == number


def test_the_keyframe_before_is_found_across_turns(recording_file: Path) -> None:
    recording = load_recording(recording_file)

    assert [recording.keyframe_before(number) for number in (0, 11, 12, 25, 47)] == [0, 0, 12, 24, 36]


def test_b_frames_keep_decoding_order_and_presentation_times(tmp_path: Path) -> None:
    recording = load_recording(_recording_with_b_frames(tmp_path / "b.mp4"))

    decoding = [unit.decode_at for unit in recording.units]
    showing = [unit.present_at for unit in recording.units]

    assert decoding == sorted(decoding)
    assert showing != sorted(showing)
    assert sorted(round(at * 10) for at in showing) == [round(min(showing) * 10) + n for n in range(20)]
    assert all(unit.present_at >= unit.decode_at - 1e-9 for unit in recording.units)


@pytest.mark.parametrize("content", [b"", b"no recording at all" * 100])
def test_what_is_no_recording_is_refused_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.mp4"
    file.write_bytes(content)

    with pytest.raises(PermanentError, match=r"bad\.mp4.*H\.264"):
        load_recording(file)


def test_a_missing_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"none\.mp4"):
        load_recording(tmp_path / "none.mp4")


def test_another_codec_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mjpeg.mkv"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mjpeg", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        container.mux([*stream.encode(av.VideoFrame(64, 48, "yuvj420p")), *stream.encode(None)])

    with pytest.raises(PermanentError, match=r"no H\.264"):
        load_recording(file)
