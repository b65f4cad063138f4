"""What an administrator may name by API: the network's cameras, and nothing of this machine (SSRF)."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from gateway.api.problems import Problem
from gateway.settings import NAME_PATTERN, DeviceSettings, OutputSettings, address_of, name_or_camera

_NAME = re.compile(NAME_PATTERN)
_MOST_VALUES, _LONGEST_NAME = 1000, 64
_SECRETS = ("password", "secret")
_ADDRESS_KEYS = ("url", "sub_url")


def refuse_local_files(body: dict[str, Any]) -> None:
    """Refuse to read a file of this machine: a secret would be sent to whatever address stands beside it.

    And a pipe or a device in its place would be read on the loop, before every press, for ever.

    Raises:
        Problem: 422.
    """
    for key, value in body.items():
        if key.endswith("_file") and value is not None:
            name = key.removesuffix("_file")
            remedy = f"Send {name} itself; it is sealed at rest." if name in _SECRETS else "Name it there."
            what = "a file can be named in the configuration file only"
            raise Problem(422, what, code="only_in_file", where=key, remedy=remedy)


def refuse_masses(body: dict[str, Any]) -> None:
    """Refuse an entry with more keys or values than any has, before each of them is looked at.

    Raises:
        Problem: 422.
    """
    for key, value in [("", body), *body.items()]:
        if isinstance(value, list | dict) and len(value) > _MOST_VALUES:
            what = f"holds too many: at most {_MOST_VALUES}"
            raise Problem(422, what, code="too_long", where=key[:_LONGEST_NAME], limit=_MOST_VALUES)


def refuse_local_address(body: dict[str, Any], networks: Sequence[str] = ()) -> None:
    """Refuse recordings, and addresses of this machine, or outside the networks of cameras, in any spelling.

    A name is judged by the address that it leads to, when the camera is asked: `gateway.settings.may_be_camera`.

    Args:
        body: an entry or a part of one.
        networks: of cameras; none: every private one.

    Raises:
        Problem: 422.
    """
    for key in _ADDRESS_KEYS:
        url = body.get(key)
        if not isinstance(url, str):
            continue
        if url.lower().startswith("file:"):
            what = "a recording can be named in the configuration file only"
            raise Problem(422, what, code="only_in_file", where=key, remedy="Name it there.")
        if _is_of_this_machine(url):
            remedy = "Give the address it has on its network; only the configuration file may name this machine."
            what = "an address of this machine is no camera"
            raise Problem(422, what, code="own_address", where=key, remedy=remedy)
        if not name_or_camera(_host_of(url), networks):
            what = "the address is in no network of cameras"
            remedy = "Name its network in vision.camera_networks of the configuration file."
            raise Problem(422, what, code="not_a_camera_network", where=key, remedy=remedy)


def refuse_links_into_nothing(body: dict[str, Any], cameras: Collection[str]) -> None:
    """Refuse a device's link to a camera that is not there: its press would have no picture, or never be heard.

    Args:
        body: a device's entry or a part of one; what is no name is left to the settings.
        cameras: ids of all that are there.

    Raises:
        Problem: 422.
    """
    for key, camera in _links(body):
        if isinstance(camera, str) and _NAME.fullmatch(camera) and camera not in cameras:
            known = f"Known here: {', '.join(sorted(cameras))}."
            remedy = known if cameras else "Add the camera first, or leave out the link."
            what = f"there is no camera {camera!r}"
            raise Problem(422, what, code="link_to_no_camera", where=key, camera=camera, remedy=remedy)


def refuse_to_cut_links(camera: str, devices: Iterable[DeviceSettings], outputs: Iterable[OutputSettings]) -> None:
    """Refuse to remove a camera that an alarm device or an output names: a wired button would never be heard again.

    Args:
        camera: its id.
        devices: all that are there.
        outputs: likewise.

    Raises:
        Problem: 409.
    """
    links = {each.id: ", ".join(key for key, linked in each.links() if linked == camera) for each in devices}
    found = [f"device {device} ({keys})" for device, keys in links.items() if keys]
    found += [f"output {each.id} (camera)" for each in outputs if each.camera == camera]
    if found:
        what = f"camera {camera} is named by {', '.join(found)}"
        raise Problem(409, what, code="conflict", where=f"camera {camera}", remedy="Take it out of them first.")


def _links(body: dict[str, Any]) -> Iterator[tuple[str, object]]:
    linked, looks = body.get("linked_cameras"), body.get("looks")
    yield "camera", body.get("camera")
    yield from (("linked_cameras", each) for each in (linked if isinstance(linked, list) else ()))
    yield from (("looks", each) for each in (looks if isinstance(looks, dict) else ()))


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # the settings say what is wrong with it
        return ""


def _is_of_this_machine(url: str) -> bool:
    host = _host_of(url)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = address_of(host)
    return address is not None and (address.is_loopback or address.is_unspecified or address.is_link_local)
