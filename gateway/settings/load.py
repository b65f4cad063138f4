"""From ``gateway.toml``, the environment and ``--set`` to frozen slices; pure but for reading that one file."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.errors import ConfigError, Fault
from gateway.settings.model import Settings
from gateway.settings.rules import contradictions
from gateway.settings.words import fault_of

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
    path = directory / FILE_NAME
    tree = _read(path)
    origins: dict[str, str] = {}
    for name, value in sorted((environment or {}).items()):
        if name.startswith(_PREFIX) and "__" in name:
            _put(tree, name.removeprefix(_PREFIX).lower().split("__"), value, f"environment {name}", origins)
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise ConfigError([Fault("--set", override, "there is no '='", "Write --set section.key=value.")])
        _put(tree, key.strip().split("."), value.strip(), "--set", origins)
    return parse_settings(tree, str(path), origins)


def parse_settings(
    tree: Mapping[str, Any], file: str = FILE_NAME, origins: Mapping[str, str] | None = None
) -> Settings:
    """Check a parsed configuration; every fault is named with its key.

    Raises:
        ConfigError: with every fault found.
    """
    try:
        nul = [Fault(file, key, "it holds the character NUL", "Remove it.") for key in _with_nul(tree, ())]
        if nul:
            raise ConfigError(nul)
        settings = Settings.model_validate(tree)
    except RecursionError:
        raise ConfigError([Fault(file, "", "nested too deeply", "Mend that line.")]) from None
    except ValidationError as error:
        raise ConfigError([fault_of(each, file, origins or {}, tree) for each in error.errors()]) from None
    if faults := [Fault(file, key, what, remedy) for key, what, remedy in contradictions(settings)]:
        raise ConfigError(faults)
    return settings


def _with_nul(value: Any, key: tuple[str, ...]) -> Iterator[str]:  # noqa: ANN401  # a TOML value is of any type
    if isinstance(value, str) and "\0" in value:
        yield ".".join(key)
    below = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, each in below:
        yield from _with_nul(each, (*key, str(name)))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # of Windows, which begins with a mark
    except FileNotFoundError:
        remedy = "Copy config/gateway.toml there, or name its folder with --config."
        raise ConfigError([Fault(str(path), "", "there is no such file", remedy)]) from None
    except OSError as error:
        raise ConfigError([Fault(str(path), "", str(error.strerror), "Make it a readable file.")]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([Fault(str(path), "", f"not UTF-8 at byte {error.start}", "Save it as UTF-8.")]) from None
    except ValueError as error:  # of tomllib; a number of too many digits is told without its own kind of error
        raise ConfigError([Fault(str(path), "", f"not TOML: {error}", "Mend that line.")]) from None
    except RecursionError:
        raise ConfigError([Fault(str(path), "", "nested too deeply", "Mend that line.")]) from None


def _put(tree: dict[str, Any], keys: list[str], text: str, origin: str, origins: dict[str, str]) -> None:
    where = tree
    for key in keys[:-1]:
        below = where.setdefault(key, {})
        if not isinstance(below, dict):
            raise ConfigError([Fault(origin, ".".join(keys), f"{key} is no section", "Name section.key.")])
        where = below
    where[keys[-1]] = _value(text)
    origins[".".join(keys)] = origin


def _value(text: str) -> Any:  # noqa: ANN401  # a TOML value is of any type
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
