"""Addresses that no administrator may name by API, in both places where a camera has one."""

import pytest

from gateway.api.problems import Problem
from gateway.api.sources import (
    refuse_links_into_nothing,
    refuse_local_address,
    refuse_local_files,
    refuse_masses,
    refuse_to_cut_links,
)
from gateway.settings import DeviceSettings, OutputSettings


@pytest.mark.parametrize("key", ["url", "sub_url"])
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "FILE:///x.mp4",
        "rtsp://127.0.0.1/a",
        "rtsp://localhost/a",
        "rtsp://0x7f.1/a",
        "rtsp://[::1]/a",
    ],
)
def test_this_machine_is_no_camera(key: str, url: str) -> None:
    with pytest.raises(Problem) as caught:
        refuse_local_address({key: url})
    assert caught.value.status == 422
    assert caught.value.more["where"] == key


def test_a_camera_of_the_network_is_one() -> None:
    refuse_local_address({"url": "rtsp://192.168.1.64/main", "sub_url": "rtsp://192.168.1.64/sub", "name": "gate"})


@pytest.mark.parametrize("url", ["onvif://8.8.8.8", "rtsp://169.254.169.254/latest", "rtsp://192.168.2.9/a"])
def test_an_address_outside_the_networks_of_cameras_is_none(url: str) -> None:
    with pytest.raises(Problem) as caught:
        refuse_local_address({"url": url}, ["192.168.1.0/24"])
    assert caught.value.status == 422


def test_a_name_is_judged_when_the_camera_is_asked() -> None:
    refuse_local_address({"url": "onvif://gate.school.example"}, ["192.168.1.0/24"])


@pytest.mark.parametrize("key", ["password_file", "secret_file", "ca_file"])
def test_no_file_of_this_machine_is_named_by_api(key: str) -> None:
    with pytest.raises(Problem) as caught:
        refuse_local_files({key: "/dev/zero"})
    assert (caught.value.status, caught.value.more["where"]) == (422, key)
    refuse_local_files({key: None, "name": "office"})


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"linked_cameras": ["gate", "cam-9"]}, "linked_cameras"),
        ({"camera": "cam-9", "dialect": "onvif"}, "camera"),
        ({"looks": {"cam-9": "2"}}, "looks"),
    ],
)
def test_a_link_to_a_camera_that_is_not_there_is_refused_by_name(body: dict[str, object], where: str) -> None:
    with pytest.raises(Problem) as caught:
        refuse_links_into_nothing(body, ["gate", "yard"])
    told = caught.value.more
    assert (caught.value.status, told["where"], told["camera"]) == (422, where, "cam-9")
    assert "'cam-9'" in caught.value.detail
    assert told["remedy"] == "Known here: gate, yard."


def test_a_link_where_no_camera_is_says_to_add_one_first() -> None:
    with pytest.raises(Problem) as caught:
        refuse_links_into_nothing({"linked_cameras": ["gate"]}, [])
    assert caught.value.more["remedy"] == "Add the camera first, or leave out the link."


@pytest.mark.parametrize(
    "body",
    [
        {"linked_cameras": ["gate"], "camera": "gate", "looks": {"gate": "1"}},
        {"linked_cameras": [], "camera": None, "looks": {}},
        {"linked_cameras": None, "camera": 5, "looks": ["x"]},
        {"linked_cameras": [5, ["x"]]},
        {"name": "cam-9"},
    ],
)
def test_links_to_cameras_that_are_there_and_what_the_settings_refuse_pass(body: dict[str, object]) -> None:
    refuse_links_into_nothing(body, ["gate"])


def test_a_camera_that_is_named_elsewhere_is_not_removed_and_all_that_name_it_are_told() -> None:
    devices = [
        DeviceSettings(id="btn-01", linked_cameras=("yard", "gate"), looks={"gate": "2"}),
        DeviceSettings(id="btn-02", dialect="onvif", camera="gate"),
        DeviceSettings(id="btn-03", linked_cameras=("yard",)),
    ]
    outputs = [OutputSettings(id="siren", kind="onvif", camera="gate", relay="1"), OutputSettings(id="lamp")]
    with pytest.raises(Problem) as caught:
        refuse_to_cut_links("gate", devices, outputs)
    assert (caught.value.status, caught.value.code) == (409, "conflict")
    assert caught.value.detail == (
        "camera gate is named by device btn-01 (linked_cameras, looks), device btn-02 (camera), output siren (camera)"
    )
    refuse_to_cut_links("hall", devices, outputs)


@pytest.mark.parametrize("body", [{str(each): 1 for each in range(1001)}, {"linked_cameras": [1] * 1001}])
def test_what_holds_more_than_any_entry_is_refused_before_it_is_looked_at(body: dict[str, object]) -> None:
    with pytest.raises(Problem) as caught:
        refuse_masses(body)
    assert (caught.value.status, caught.value.code, caught.value.more["limit"]) == (422, "too_long", 1000)
