"""The detector's model: fetched from its project at a pinned commit, or carried in by hand; checked either way."""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from gateway.errors import GatewayError, PermanentError, TransientError

_REMEDY = "Carry the file in by hand: campus-gateway models install --from FILE."


@dataclass(frozen=True, slots=True)
class Model:
    """A model file of another project.

    Attributes:
        name: file name in the models folder.
        url: where its project keeps it, at a pinned commit.
        sha256: hex digest that the file must have.
        size: bytes that it has.
    """

    name: str
    url: str
    sha256: str
    size: int


YUNET = Model(
    name="yunet_n_dynamic.onnx",
    url=(
        "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/"
        "0047ac24afb1a50a0c6105001c89d1b5b805dbf1/onnx/yunet_n_dynamic.onnx"
    ),
    sha256="104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
    size=322_906,
)


def is_installed(model: Model, folder: Path) -> bool:
    """Whether the right file is there."""
    path = folder / model.name
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == model.sha256


def install_from_file(model: Model, folder: Path, source: Path) -> Path:
    """Copy a model that was carried in.

    Raises:
        PermanentError: the file cannot be read or is another one.
    """
    try:
        content = source.read_bytes()
    except OSError as error:
        remedy = f"Name the file that was carried in, such as /media/usb/{model.name}."
        raise PermanentError(f"cannot be read: {error.strerror}", where=str(source), remedy=remedy) from None
    return _keep(model, folder, content, str(source))


def install_from_url(model: Model, folder: Path, url: str | None = None, *, timeout_seconds: float = 30.0) -> Path:
    """Fetch a model over HTTP.

    Args:
        model: what to fetch.
        folder: where it is kept; made if absent.
        url: another place than the model's own, such as a mirror of the site.
        timeout_seconds: for the whole transfer.

    Raises:
        TransientError: no network, a cut transfer, or a server that fails.
        PermanentError: there is no such file, or it is another one.
    """
    address = url or model.url
    until = time.monotonic() + timeout_seconds
    with _plain_errors(address), httpx.Client(timeout=timeout_seconds, follow_redirects=True) as client:
        content = _fetch(client, address, model.size, until)
    return _keep(model, folder, content, address)


def _fetch(client: httpx.Client, address: str, size: int, until: float) -> bytes:
    with client.stream("GET", address) as answer:
        answer.raise_for_status()
        content = bytearray()
        for chunk in answer.iter_bytes():
            content.extend(chunk)
            if time.monotonic() > until:
                raise TransientError("is too slow", where=address, remedy=_REMEDY)
            if len(content) > size:
                raise PermanentError(f"sends more than the {size} bytes of the model", where=address, remedy=_REMEDY)
    if len(content) < size:
        reason = f"the transfer was cut: {len(content)} of {size} bytes"
        raise TransientError(reason, where=address, remedy=f"Try again. {_REMEDY}")
    return bytes(content)


@contextmanager
def _plain_errors(address: str) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPStatusError as error:
        kind = TransientError if error.response.is_server_error else PermanentError
        raise kind(f"answered HTTP {error.response.status_code}", where=address, remedy=_REMEDY) from None
    except httpx.RemoteProtocolError:
        raise TransientError("the transfer was cut", where=address, remedy=f"Try again. {_REMEDY}") from None
    except httpx.TimeoutException:
        raise TransientError("did not answer in time", where=address, remedy=_REMEDY) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise PermanentError("is no address", where=address, remedy="Give http://… or https://….") from None
    except httpx.HTTPError as error:
        raise TransientError(f"cannot be reached ({type(error).__name__})", where=address, remedy=_REMEDY) from None


def _keep(model: Model, folder: Path, content: bytes, origin: str) -> Path:
    found = hashlib.sha256(content).hexdigest()
    if found != model.sha256:
        what = f"is not {model.name}: its SHA-256 is {found[:16]}…, not {model.sha256[:16]}…"
        raise PermanentError(what, where=origin, remedy=f"Nothing was installed; get this one: {model.url}")
    try:
        return _write(folder, model.name, content)
    except OSError as error:
        remedy = "Name a folder that this user may write: --to DIR."
        raise GatewayError(f"cannot be written: {error.strerror}", where=str(folder), remedy=remedy) from None


def _write(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{name}.", delete=False) as part:
        try:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
            os.chmod(part.fileno(), 0o644)
            os.replace(part.name, folder / name)
        except BaseException:
            os.unlink(part.name)
            raise
    return folder / name
