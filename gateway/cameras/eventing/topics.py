"""What topics mean, as data: by their last segments, whatever the prefix (ONVIF Core §9, makers' own topics)."""

from enum import StrEnum


class Kind(StrEnum):
    """What a topic is about."""

    MOTION = "motion"
    TAMPER = "tamper"
    INPUT = "input"
    OUTPUT = "output"
    STORAGE = "storage"


TOPICS: tuple[tuple[str, Kind], ...] = (
    ("VideoSource/MotionAlarm", Kind.MOTION),
    ("RuleEngine/CellMotionDetector/Motion", Kind.MOTION),
    ("RuleEngine/MotionRegionDetector/Motion", Kind.MOTION),
    ("RuleEngine/TamperDetector/Tamper", Kind.TAMPER),
    ("CellMotionDetector/Tamper", Kind.TAMPER),
    ("VideoSource/GlobalSceneChange/*", Kind.TAMPER),
    ("VideoSource/ImageTooDark/*", Kind.TAMPER),
    ("VideoSource/ImageTooBright/*", Kind.TAMPER),
    ("VideoSource/ImageTooBlurry/*", Kind.TAMPER),
    ("Device/Trigger/DigitalInput", Kind.INPUT),
    ("Device/Trigger/AlarmIn", Kind.INPUT),
    ("Device/Trigger/Relay", Kind.OUTPUT),
    ("Device/HardwareFailure/StorageFailure", Kind.STORAGE),
)
"""Pattern and meaning; ``*`` stands for one segment."""


def plain_topic(text: str) -> str:
    """A topic without padding, prefixes and the trailing ``//.`` that asks for the whole subtree."""
    trimmed = "".join(text.split()).rstrip("/.")
    return "/".join(segment.rpartition(":")[2] for segment in trimmed.split("/"))


def kind_of(topic: str) -> Kind | None:
    """What a plain topic is about; None if nobody knows it."""
    segments = topic.split("/")
    return next((kind for pattern, kind in TOPICS if _ends_with(segments, pattern.split("/"))), None)


def _ends_with(segments: list[str], pattern: list[str]) -> bool:
    last = segments[-len(pattern) :]
    return len(last) == len(pattern) and all(wanted in ("*", said) for wanted, said in zip(pattern, last, strict=True))
