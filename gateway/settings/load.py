"""From ``gateway.toml``, the environment and ``--set`` to frozen slices; pure but for reading that one file."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.errors import ConfigError, Fault
from gateway.settings.model import Settings
from gateway.settings.survey import Survey, survey
from gateway.settings.words import printable

FILE_NAME = "gateway.toml"
_PREFIX = "GATEWAY_"


def load_settings(
    directory: Path, *, overrides: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Settings:
    """Read ``directory/gateway.toml``; the environment overrides the file, `overrides` override both.

    Args:
        directory: the folder of the configuration.
        overrides: ``section.key=value`` each, the value as TOML or else as text.
        environment: variables; those named ``GATEWAY_SECTION__KEY`` count.

    Raises:
        ConfigError: with every fault found: file, key, what is wrong, remedy.
    """
    return _faultless(survey_settings(directory, overrides=overrides, environment=environment))


def survey_settings(
    directory: Path, *, overrides: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Survey:
    """As `load_settings`, but with what stands beside the faults, so that more can be said of it.

    Raises:
        ConfigError: the file cannot be read, or is no TOML.
    """
    path = directory / FILE_NAME
    tree = _read(path)
    origins: dict[str, str] = {}
    faults = [
        *_put_environment(tree, environment or {}, origins),
        *_put_overrides(tree, overrides, origins),
    ]
    found = survey(tree, str(path), origins)
    return replace(found, faults=(*faults, *found.faults))


def parse_settings(tree: Mapping[str, Any], file: str = FILE_NAME) -> Settings:
    """Check a parsed configuration; every fault is named with its key.

    Raises:
        ConfigError: with every fault found.
    """
    return _faultless(survey(tree, file, {}))


def _faultless(found: Survey) -> Settings:
    if found.faults or found.settings is None:
        raise ConfigError(found.faults)
    return found.settings


_HINTS = {
    "Cannot declare": "Mend that line. Several of a kind, such as devices, are written [[devices]] in double brackets.",
    "Illegal character": "Mend that line. Text stands in quotes, closed on the same line.",
    "Cannot overwrite": "Mend that line. The key is there twice.",
    "Invalid value": "Mend that line. Text stands in quotes, and yes is true.",
}


def _mending(said: str) -> str:
    return next((hint for words, hint in _HINTS.items() if said.startswith(words)), "Mend that line.")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # of Windows, which begins with a mark
    except FileNotFoundError:
        remedy = "Copy the sample (config/gateway.toml of the project) there, or name its folder with --config."
        raise ConfigError([Fault(str(path), "", "there is no such file", remedy)]) from None
    except OSError as error:
        raise ConfigError([Fault(str(path), "", str(error.strerror), "Make it a readable file.")]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([Fault(str(path), "", f"not UTF-8 at byte {error.start}", "Save it as UTF-8.")]) from None
    except ValueError as error:  # of tomllib; a number of too many digits is told without its own kind of error
        raise ConfigError([Fault(str(path), "", f"not TOML: {error}", _mending(str(error)))]) from None
    except RecursionError:
        raise ConfigError([Fault(str(path), "", "nested too deeply", "Mend that line.")]) from None


def _put_environment(tree: dict[str, Any], environment: Mapping[str, str], origins: dict[str, str]) -> Iterator[Fault]:
    for name, value in sorted(environment.items()):
        if name.startswith(_PREFIX) and "__" in name:
            keys = name.removeprefix(_PREFIX).lower().split("__")
            yield from _put(tree, keys, value, f"environment {name}", origins)


def _put_overrides(tree: dict[str, Any], overrides: Sequence[str], origins: dict[str, str]) -> Iterator[Fault]:
    for override in overrides:
        key, equals, value = override.partition("=")
        if equals:
            yield from _put(tree, key.strip().split("."), value.strip(), "--set", origins)
        else:
            yield Fault("--set", printable(override), "there is no '='", "Write --set section.key=value.")


def _put(tree: dict[str, Any], keys: list[str], text: str, origin: str, origins: dict[str, str]) -> Iterator[Fault]:
    where = tree
    for key in keys[:-1]:
        below = where.setdefault(key, {})
        if not isinstance(below, dict):
            yield Fault(origin, printable(".".join(keys)), f"{printable(key)} is no section", "Name section.key.")
            return
        where = below
    where[keys[-1]] = _value(text)
    origins[".".join(keys)] = origin


def _value(text: str) -> Any:  # noqa: ANN401  # a TOML value is of any type
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
