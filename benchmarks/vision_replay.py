"""The same passages without a network or a clock: how long after a good face was sent the picture came that decided.

What a picture costs does not count here, nor what else the machine does: only which pictures are looked at, and what
is made of them.
"""

import json
import statistics
from typing import Any

from scene_player import gallery_of, play
from vision_bench import built

from gateway.vision.faces import FaceTools

PEOPLE = ("obama", "biden", "astronaut")
FPS, STEP = 25, 5
_GRACE_SECONDS = 1.0
_FULL_PX = 40.0


def replay(tools: FaceTools, scene: str, phases: range = range(STEP)) -> dict[str, Any]:
    """A scene at five looks a second, begun at each of so many frames: milliseconds of the recording to the warning."""
    passages = json.loads(built(f"{scene}.json").read_text())["passages"]
    gallery = gallery_of(tools, *PEOPLE)
    late: list[float] = []
    looks: list[int] = []
    repeated = false = 0
    for phase in phases:
        seen: set[int] = set()
        for at, match in play(built(f"{scene}.mp4"), tools, gallery, first_look=phase / FPS, rest=False).found:
            number = _passage(passages, str(match.decision.person), at)
            repeated += number in seen
            false += number is None
            if number is not None and number not in seen:
                seen.add(number)
                late.append(1e3 * (at - _first(passages[number]) / FPS))
                looks.append(match.decision.looks)
    late.sort()
    return {
        "scene": scene,
        "phases": len(phases),
        "passages_shown": len(phases) * len(passages),
        "passages_warned_of": len(late),
        "repeated_warnings": repeated,
        "false_identities": false,
        "replayed_ms_since_40_px": {
            "p50": round(statistics.median(late)),
            "p95": round(late[round(0.95 * (len(late) - 1))]),
            "most": round(late[-1]),
        },
        "looks_of_a_decision": {str(count): looks.count(count) for count in sorted(set(looks))},
    }


def _passage(passages: list[dict[str, Any]], person: str, at: float) -> int | None:
    for number, each in enumerate(passages):
        if each["person"] == person and each["first_frame"] / FPS <= at <= each["last_frame"] / FPS + _GRACE_SECONDS:
            return number
    return None


def _first(passage: dict[str, Any]) -> int:
    """The first frame with a face of full height."""
    return min(int(frame) for frame, box in passage["boxes"].items() if box[3] >= _FULL_PX)
