"""What may be written while strangers pass, by kind of file: sealed content cannot be read, so its place must tell."""

from pathlib import Path

import pytest

from gateway.cli.kinds import misplaced, misplaced_in_memory

GRAPH = "5" * 64 + "-v1.onnx"
EXPECTED = [
    "gateway.toml",
    "gateway.log",
    "state.key",
    ".state.key-_yxgpnwu",
    "state/journal.db",
    "state/journal.db-wal",
    "state/state.db-shm",
    "state/state.lock",
    "state/reserve",
    "state/running",
    "state/setup-link",
    f"models/{GRAPH}",
    "models/.graph-ab12",
    "/dev/null",
    "/proc/self/oom_score_adj",
]


def found(home: Path, *names: str) -> dict[str, str]:
    paths = [home / name for name in names]
    return {each.path: each.what for each in misplaced(paths, home, home / "models")}


def test_what_a_gateway_needs_is_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, *EXPECTED) == {}


@pytest.mark.parametrize(
    "name",
    [
        "state/journal.db.bak",
        "state/state.db-copy",
        "state/faces/1",
        "temporary/tmpx1",
        "home/.cache/x",
        GRAPH,
        "models/face.onnx",
        "/tmp/strange",
        "/dev/shm/frames",
        "/proc/self/mem",
    ],
)
def test_any_other_file_is_one_whatever_it_holds_and_also_when_it_is_gone(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, name) == {str(tmp_path / name): "a file of an unknown kind"}


def test_evidence_is_a_finding_and_its_kind_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "evidence"
    folder.mkdir(parents=True)
    (folder / "crop").write_bytes(bytes(range(200)))
    (folder / "clip").write_bytes(b"CGC\x01" + bytes(range(200)))
    assert found(tmp_path, *(f"state/evidence/{name}" for name in ("crop", "clip", ".part-1"))) == {
        str(folder / "crop"): "a sealed picture",
        str(folder / "clip"): "a sealed clip",
        str(folder / ".part-1"): "evidence, gone again",
    }


def test_a_reserve_holds_nothing(tmp_path: Path) -> None:
    reserve = tmp_path / "state" / "reserve"
    reserve.parent.mkdir()
    reserve.write_bytes(bytes(3 << 20))
    assert found(tmp_path, "state/reserve") == {}
    reserve.write_bytes(bytes(2 << 20) + b"\x01" + bytes(1 << 20))
    assert found(tmp_path, "state/reserve") == {str(reserve): "a reserve that holds something"}


def test_only_the_watch_list_is_kept_in_memory() -> None:
    assert [each.path for each in misplaced_in_memory({"watch-list", "frames"})] == ["memfd:frames"]
