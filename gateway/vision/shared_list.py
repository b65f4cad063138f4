"""The watch-list in shared memory: the gallery's bytes and behind them each person's category."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import PermanentError
from gateway.matching import Gallery

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True, eq=False)
class SharedList:
    """A revision of the watch-list as a child compares with it; unchanging."""

    gallery: Gallery
    categories: Mapping[str, str]


def pack_list(shared: SharedList) -> bytes:
    """The bytes for `read_list`: gallery, categories as JSON, and the length of that JSON (u64)."""
    tail = json.dumps(dict(shared.categories), ensure_ascii=False).encode()
    return shared.gallery.pack() + tail + _LENGTH.pack(len(tail))


def read_list(view: memoryview) -> SharedList:
    """The list in `view`, which must stay as it is; the vectors are not copied.

    Raises:
        GatewayError: the bytes are no list.
    """
    try:
        (size,) = _LENGTH.unpack(view[-_LENGTH.size :])
        categories = json.loads(bytes(view[-_LENGTH.size - size : -_LENGTH.size]))
    except (struct.error, ValueError) as error:
        raise PermanentError(f"the shared memory holds no watch-list ({type(error).__name__})") from None
    return SharedList(Gallery.map(view), categories)
