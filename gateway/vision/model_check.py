"""Opens the face network of a configuration for `check-config`, as a child does at its start; prints its faults."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from gateway.errors import ConfigError, Fault, GatewayError
from gateway.settings import MatchingSettings
from gateway.vision.faces import open_tools

_KEY = re.compile(r"([a-z0-9_.]+): (.+)", re.DOTALL)
_LONGEST_SIDE = 640


def check_models(given: TextIO, answer: TextIO) -> int:
    """Open detector, aligner and network once.

    Args:
        given: one JSON object with `matching` (its section of the settings) and `models_directory`.
        answer: gets one JSON object with `faults`, each with file, key, what and remedy.

    Returns:
        the exit status: 0 if they can be opened, else 1.
    """
    asked = json.load(given)
    faults: tuple[Fault, ...] = ()
    try:
        open_tools(
            MatchingSettings.model_validate(asked["matching"]),
            Path(asked["models_directory"]),
            longest_side=_LONGEST_SIDE,
        )
    except ConfigError as error:
        faults = error.faults
    except GatewayError as error:
        faults = (_fault(error),)
    answer.write(json.dumps({"faults": [asdict(each) for each in faults]}, ensure_ascii=False) + "\n")
    return 1 if faults else 0


def _fault(error: GatewayError) -> Fault:
    """The errors of a network name the key first, those of a file have none."""
    found = _KEY.fullmatch(error.what)
    key, what = (found[1], found[2]) if found else ("", error.what)
    return Fault(error.where, key, what, error.remedy and f"{error.remedy.rstrip('.')}.")
