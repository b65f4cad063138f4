"""The sources that events name, as URI references."""


def button_source(site: str, device: str) -> str:
    """The source of an alarm button's events."""
    return f"/site/{site}/button/{device}"


def camera_source(site: str, camera: str) -> str:
    """The source of a camera's events."""
    return f"/site/{site}/camera/{camera}"


def gateway_source(site: str) -> str:
    """The source of the gateway's own events."""
    return f"/site/{site}/gateway"
