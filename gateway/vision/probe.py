"""Asks one camera for a command such as `doctor` and prints what it said as JSON; the password never is an argument."""

import json
from dataclasses import asdict
from typing import TextIO

from gateway.cameras import CameraError, Login, OnvifCamera
from gateway.errors import GatewayError


async def probe(url: str, credentials: TextIO, answer: TextIO) -> int:
    """Ask the camera once.

    Args:
        url: ``onvif://host[:port]``.
        credentials: holds the user name, the password and the SHA-256 of a certificate that nobody vouches for, a line
            each; empty for an open camera.
        answer: gets one JSON object with `state`, `what`, `remedy` and `description`.

    Returns:
        the exit status: 0 if the camera answered, else 1.
    """
    username, password, fingerprint = (credentials.readline().rstrip("\r\n") for _ in range(3))
    found: dict[str, object] = {"url": url, "what": "", "remedy": "", "description": {}}
    try:
        camera = OnvifCamera(url, Login(username, password, fingerprint))
        try:
            described = await camera.probe()
        finally:
            await camera.close()
    except GatewayError as error:
        state = error.state.value if isinstance(error, CameraError) else "not_onvif"
        found |= {"state": state, "what": error.what, "remedy": error.remedy}
    else:
        found |= {"state": described.state.value, "remedy": described.state.remedy, "description": asdict(described)}
    answer.write(json.dumps(found, ensure_ascii=False) + "\n")
    return 0 if found["description"] else 1
