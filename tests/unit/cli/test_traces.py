"""What strace saw being written, and what counts as a trace of a face."""

import base64
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from harness.tools import needs

from gateway.cli.traces import CALLS, changed_since, traces_in, traces_in_memory, written_by

JFIF = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01"
EXIF = b"\xff\xd8\xff\xe1\x20\x0aExif\x00\x00\x00"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"
LOG = r"""
123 openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
123 openat(AT_FDCWD, "state/journal.db", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 4
124 openat(AT_FDCWD, "/full/disk", O_WRONLY|O_CREAT, 0644) = -1 ENOSPC (No space left on device)
124 rename("/tmp/a", "/tmp/\345\274\240") = 0
125 memfd_create("gallery", MFD_CLOEXEC) = 5
125 creat("/tmp/quo\"ted", 0644) = 6
125 --- SIGCHLD {si_signo=SIGCHLD} ---
126 openat(AT_FDCWD</srv>, "cut", O_WRONLY|O_CREAT, 0644 <unfinished ...>
127 openat(AT_FDCWD</srv>, "read", O_RDONLY <unfinished ...>
126 <... openat resumed>)       = 7</srv/cut>
127 <... openat resumed>)       = 8</srv/read>
128 openat(5</srv/deep>, "below", O_WRONLY|O_CREAT|O_CLOEXEC, 0600) = 9</srv/deep/below>
128 openat2(AT_FDCWD</srv>, "second", {flags=O_WRONLY|O_CREAT, mode=0644, resolve=0}, 24) = 10</srv/second>
128 renameat2(5</srv/deep>, "below", 6</srv/other>, "../moved", 0) = 0
""".splitlines()


# Threads whose calls come between each other's, below a folder that is named by its descriptor.
PROGRAM = """
import os, threading
open('名', 'w').write('x'); os.rename('名', 'b'); os.memfd_create('m'); os.mkdir('深')
folder = os.open('深', os.O_RDONLY)
def make(thread):
    for number in range(50):
        os.close(os.open(f'{thread}-{number}', os.O_CREAT | os.O_WRONLY, dir_fd=folder))
threads = [threading.Thread(target=make, args=(thread,)) for thread in range(4)]
for each in threads: each.start()
for each in threads: each.join()
"""
HOLDER = """
import os
os.write(os.memfd_create('m'), b'\\x89PNG\\r\\n\\x1a\\n')
file = open('gone', 'wb', buffering=0); file.write(b'\\xff\\xd8\\xff\\xe0\\x00\\x10JFIF\\x00\\x01'); os.unlink('gone')
open('named', 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n')
print(flush=True); input()
"""


def test_the_log_tells_what_was_written_and_what_was_in_memory() -> None:
    found = written_by(LOG, Path("/srv"))
    plain = {Path("/srv/state/journal.db"), Path("/tmp/张"), Path('/tmp/quo"ted')}
    assert found.paths == plain | {Path(f"/srv/{name}") for name in ("cut", "deep/below", "second", "moved")}
    assert found.in_memory == {"gallery"}


@needs("strace")
def test_a_real_log_is_understood(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tracer = [shutil.which("strace") or "", "-f", "-y", "-qq", "-o", str(log), "-e", f"trace={CALLS}"]
    subprocess.run([*tracer, sys.executable, "-c", PROGRAM], check=True, cwd=tmp_path)
    found = written_by(log.read_text(encoding="latin-1").splitlines(), tmp_path)
    threads = {tmp_path / "深" / f"{thread}-{number}" for thread in range(4) for number in range(50)}
    assert {tmp_path / "名", tmp_path / "b"} | threads <= found.paths
    assert found.in_memory == {"m"}


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="there are no files in memory")
def test_what_is_held_open_without_a_name_is_read(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        found = {(each.path, each.what) for each in traces_in_memory(tmp_path)}
        assert list(traces_in_memory(tmp_path / "elsewhere")) == []
        holder.communicate()
    gone = (f"{tmp_path}/gone (deleted)", "a JPEG picture")
    assert found == {("/memfd:m (deleted)", "a PNG picture"), gone}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"xx\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", "a JPEG picture"),
        (b"\xff\xd8\xff\xe1\x20\x0aExif\x00\x00", "a JPEG picture"),
        (b"\xff\xd8\xff\xdb\x00\x43\x00\x08", "a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"RIFF\x01\x02\x03\x04WEBPVP8", "a WebP picture"),
        (b"\0\0\0\x18ftypisom", "MP4 video"),
        (b"\0\0\0\x01\x67\x42\x00\x1f\x95\xa8\0\0\0\x01\x68\xce", "H.264 video"),
        (b'{"type":"campus.face.matched"}', "a match"),
        (base64.b64encode(JFIF), "a JPEG picture in text"),
        (base64.b64encode(EXIF), "a JPEG picture in text"),
        (JFIF.hex().encode(), "a JPEG picture in text"),
        (base64.b64encode(PNG), "a PNG picture in text"),
        (PNG.hex().upper().encode(), "a PNG picture in text"),
    ],
)
def test_each_kind_of_trace_is_found(tmp_path: Path, content: bytes, what: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    found = list(traces_in(file))
    assert [each.what for each in found] == [what]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_what_opencv_writes_is_found(tmp_path: Path, suffix: str) -> None:
    picture = np.random.default_rng(7).integers(0, 255, (24, 24, 3), np.uint8)
    assert cv2.imwrite(str(tmp_path / f"face{suffix}"), picture)
    assert len(list(traces_in(tmp_path / f"face{suffix}"))) == 1


def test_a_stream_of_h264_is_found(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "stream"), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    assert [each.what for each in traces_in(tmp_path / "stream")] == ["H.264 video"]


def test_what_is_sealed_or_gone_holds_none(tmp_path: Path) -> None:
    sealed = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40 + b"\xff\xd8\xff\xdb\0\0\x01\x67\x42"
    (tmp_path / "noise").write_bytes(sealed)
    assert not list(traces_in(tmp_path / "noise"))
    assert not list(traces_in(tmp_path / "gone"))


def test_a_walk_finds_what_changed(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "deep" / "new"
    old.write_text("x")
    os.utime(old, (1, 1))
    moment = time.time()
    time.sleep(0.02)
    new.parent.mkdir()
    new.write_text("y")
    assert new in set(changed_since([tmp_path], moment - 0.01))
