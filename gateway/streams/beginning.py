"""Tells what can be decoded where decoding begins: nothing before a keyframe, and not all that follows it."""

from gateway.streams.nal import is_skipped_leading


class Beginning:
    """Of one session or one clip.

    A connection may begin in the middle of a group of pictures; and after a keyframe of H.265 that is no IDR come
    pictures that refer to what was before it (ITU-T H.265 §8.1.3), which only a decoder that saw that can show.

    Args:
        codec: by FFmpeg's name.
    """

    def __init__(self, codec: str = "") -> None:
        self._codec = codec
        self._begun = self._followed = self._over = False

    def takes(self, data: bytes, *, keyframe: bool) -> bool:
        """Whether a packet in Annex B form, the next one of the stream, can be decoded."""
        if self._over:
            return True
        if keyframe:
            self._over = self._followed
            self._begun = True
            return True
        self._followed = self._begun
        return self._begun and not is_skipped_leading(data, self._codec)
