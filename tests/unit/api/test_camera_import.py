"""Cameras from a CSV file: each row judged by itself, secrets in no answer."""

import pytest

from gateway.api.camera_import import COLUMNS, MOST_ROWS, Row, read_cameras
from gateway.api.problems import Problem

HEADING = "id,name,url,username,password,watch_faces\n"


def read(rows: str, taken: frozenset[str] = frozenset(), heading: str = HEADING) -> list[Row]:
    return read_cameras(heading + rows, taken, ())


def test_good_rows_become_entries() -> None:
    (row,) = read('cam-01,"Gate, east",onvif://10.0.0.5,gate,p@ss:w/rd#1,yes\n')

    assert row.body == {
        "id": "cam-01",
        "name": "Gate, east",
        "url": "onvif://10.0.0.5",
        "username": "gate",
        "password": "p@ss:w/rd#1",
        "watch_faces": True,
    }
    assert (row.line, row.fault) == (2, "")


def test_semicolons_a_mark_of_windows_and_empty_lines_are_fine() -> None:
    rows = read_cameras("\ufeffid;url\n\ncam-01;onvif://10.0.0.5\n;\ncam-02;rtsp://10.0.0.6/a\n", frozenset(), ())

    assert [row.camera for row in rows if row.body] == ["cam-01", "cam-02"]


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("cam 1,,onvif://10.0.0.5,,,", "id"),
        ("c,,http://10.0.0.5,,,", "url"),
        ("c,,onvif://127.0.0.1,,,", "url"),
        ("c,,rtsp://8.8.8.8/a,,,", "url"),
        ("c,,file:///etc/passwd,,,", "url"),
        ("c,,onvif://u:p@10.0.0.5,,,", "url"),
        ("c,,onvif://10.0.0.5,,,perhaps", "watch_faces"),
        ("c,,onvif://10.0.0.5,,,no,more", ""),
        (",,onvif://10.0.0.5,,,", "id"),
    ],
)
def test_a_bad_row_is_told_and_delays_no_other(line: str, where: str) -> None:
    bad, good = read(f"{line}\ncam-02,,onvif://10.0.0.6,,,\n")

    assert (bad.body, bad.where) == (None, where)
    assert bad.fault
    assert good.body is not None


def test_all_faults_of_a_row_are_told() -> None:
    (row,) = read("cam 1,,rtsp://8.8.8.8/a,gate,p@ss:w/rd#1,perhaps\n")

    assert row.where == "watch_faces, url, id"
    assert row.fault.startswith("watch_faces: neither yes nor no; url: the address is in no network of cameras; id: ")
    assert row.remedy.startswith("Write yes or no. Name its network in vision.camera_networks")
    assert (row.camera, "p@ss" in repr(row)) == ("", False)


def test_an_id_is_given_once() -> None:
    rows = read("a,,onvif://10.0.0.5,,,\nb,,onvif://10.0.0.6,,,\nb,,onvif://10.0.0.7,,,\n", frozenset({"a"}))

    assert [row.body is not None for row in rows] == [False, True, False]


def test_a_password_is_in_no_fault() -> None:
    (row,) = read("cam 1,,onvif://10.0.0.5,gate,p@ss:w/rd#1,\n")

    assert "p@ss" not in repr(row)


@pytest.mark.parametrize("text", ["", "name,url\na,b\n", "id,url,color\na,b,c\n", "id,url,id\n", 'id,url\n"a\n'])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        read_cameras(text, frozenset(), ())
    assert caught.value.status == 422


def test_a_file_of_too_many_is_refused() -> None:
    with pytest.raises(Problem, match="at most"):
        read("".join(f"c{number},,onvif://10.0.0.5,,,\n" for number in range(MOST_ROWS + 1)))


def test_a_hundred_cameras_are_read() -> None:
    rows = read("".join(f"c{number},,onvif://10.0.{number}.5,gate,secret,no\n" for number in range(100)))

    assert all(row.body is not None for row in rows)
    assert "password_file" not in COLUMNS


def test_what_stands_in_the_wrong_column_is_not_repeated() -> None:
    """It may be a password: in the place of the id, or in a file that has no heading."""
    (row,) = read("p@ss:w/rd#1,,onvif://10.0.0.5,gate,cam-01,\n")
    with pytest.raises(Problem) as refused:
        read_cameras("cam-01,Gate,onvif://10.0.0.5,gate,p@ss:w/rd#1,yes\n", frozenset(), ())

    assert "p@ss" not in repr(row) + repr(refused.value.detail) + repr(refused.value.more)
    assert "no known name: column 1, 2, 3, 4, 5, 6" in refused.value.detail
