"""``check-config``: every fault of a configuration at once, also of the files that it names."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import typer

from gateway.alarms import account_key, check_exposure, server_context
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, ObjectOption, SetOption, survey_of
from gateway.cli.output import put
from gateway.errors import ConfigError, Fault, PermanentError, redact
from gateway.events import event_families, nearest_event_type, selects_events
from gateway.forwarding import make_sink
from gateway.settings import FILE_NAME, Settings, StorageSettings, load_embedder
from gateway.storage import entries_of, read_master_key
from gateway.workers import child_environment

_WRONG = 2
_OPEN_SECONDS = 120.0
_LESSER = ("cameras.", "destinations.", "matching.")
_FILE_KEYS = (
    *("password_file", "secret_file", "ca_file", "key_file", "certificate_file", "client_ca_file"),
    *("detector_model", "embedder"),
)


def check_config(as_json: ObjectOption = False, config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Read the configuration and print every fault with file, key and remedy; exit 2 on a fault."""
    file = str(config / FILE_NAME)
    if not as_json:
        put(f"{file}: correct. {_summary(_settings_alone(config, set_, file))}")
        return
    try:
        _settings_alone(config, set_, file)
        faults: tuple[Fault, ...] = ()
    except ConfigError as error:
        faults = error.faults
    found = [{name: redact(text) for name, text in asdict(fault).items()} for fault in faults]
    put(json.dumps({"correct": not found, "faults": found}, ensure_ascii=False))
    raise typer.Exit(_WRONG if found else 0)


def checked_settings(config: Path, overrides: list[str] | None, file: str) -> Settings:
    """The settings of a command, once nothing is wrong with them nor with what they name.

    Raises:
        ConfigError: with every fault.
    """
    settings, hindrances, lesser = _looked_at(config, overrides, file, networks=True)
    if hindrances or lesser or settings is None:
        raise ConfigError([*hindrances, *lesser])
    return settings


def startable_settings(config: Path, overrides: list[str] | None, file: str) -> tuple[Settings, list[Fault]]:
    """The settings that a gateway can take presses with, and what is wrong with files of lesser parts.

    A camera, a destination or a model whose file is gone fails by itself: it must not keep presses from being taken.
    The face network is not opened, which takes seconds: the children open it, and say themselves what is wrong.

    Raises:
        ConfigError: with every fault, if one of them is in the way.
    """
    settings, hindrances, lesser = _looked_at(config, overrides, file)
    if hindrances or settings is None:
        raise ConfigError([*hindrances, *lesser])
    return settings, lesser


def _looked_at(
    config: Path, overrides: list[str] | None, file: str, *, networks: bool = False
) -> tuple[Settings | None, list[Fault], list[Fault]]:
    """What stands, what is wrong with it or with files that the alarm house needs, and with files of lesser parts."""
    found = survey_of(config, overrides)
    told = {each.key for each in found.faults}
    beyond = further_faults(found.settings, file, networks=networks) if found.settings else ()
    further = [found.as_written(each) for each in beyond]
    new = [each for each in further if each.key not in told]
    lesser = [each for each in new if each.key.startswith(_LESSER) or each.file != file]
    return found.settings, [*found.faults, *(each for each in new if each not in lesser)], lesser


def _settings_alone(config: Path, overrides: list[str] | None, file: str) -> Settings:
    """As `checked_settings`, once nothing made by API has an id of the file, too: that one would be left out.

    Raises:
        ConfigError: with every fault.
    """
    settings = checked_settings(config, overrides, file)
    if faults := list(entries_in_both(settings, file)):
        raise ConfigError(faults)
    return settings


def entries_in_both(settings: Settings, file: str) -> Iterator[Fault]:
    """Entries whose id was made by API, too, as far as the state folder can be read; they are no reason not to run."""
    made = entries_of(settings.storage)
    named = {"device": settings.devices, "camera": settings.cameras, "destination": settings.destinations}
    for kind, entries in named.items():
        for each in entries:
            if (kind, each.id) in made:
                remedy = "Take it out of the file, or remove that one: DELETE by API, once the gateway runs."
                yield Fault(file, f"{kind}s.{each.id}", "the same id was made by API, too: the file's counts", remedy)


def _summary(settings: Settings) -> str:
    counts = {
        "alarm device": len(settings.devices),
        "camera": len(settings.cameras),
        "destination": len(settings.destinations),
    }
    told = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items())
    return f"Site {settings.gateway.site}: {told}."


def further_faults(settings: Settings, file: str, *, networks: bool = False) -> Iterator[Fault]:
    """Faults that the settings alone do not show: of files, of what no house may listen on, of unknown events.

    With `networks` a configured face network is opened, too, by a child: this house loads no models.
    """
    absent = list(_file_faults(settings, file))
    yield from absent
    if (
        networks
        and settings.matching.embedder is not None
        and not any(_is_of_network(each, settings) for each in absent)
    ):
        yield from _network_faults(settings)
    told = {each.key for each in absent}
    for check in _uses(settings):
        try:
            check()
        except PermanentError as error:
            if error.where not in told:
                yield Fault(file, error.where, error.what, error.remedy)
    for destination in settings.destinations:
        for prefix in destination.events:
            if not selects_events(prefix):
                meant = f"Did you mean {near}? " if (near := nearest_event_type(prefix)) else ""
                remedy = f"{meant}Known beginnings: {', '.join(event_families())}."
                yield Fault(file, f"destinations.{destination.id}.events", f"no event begins with {prefix!r}", remedy)


def _uses(settings: Settings) -> Iterator[Callable[[], object]]:
    """What a start does with addresses, secrets, keys and certificates, tried without a start."""
    yield partial(check_exposure, settings.mqtt)
    if settings.storage.key_file is not None:
        yield partial(_try_key, settings.storage)
    if settings.mqtt.tls is not None:
        yield partial(server_context, settings.mqtt.tls)
    for account in settings.sia.accounts if settings.sia else ():
        yield partial(account_key, account)
    for destination in settings.destinations:
        yield partial(make_sink, destination)


def _try_key(storage: StorageSettings) -> None:
    try:
        read_master_key(storage)
    except PermanentError as error:
        raise PermanentError(error.what, where="storage.key_file", remedy=error.remedy) from None


def _file_faults(settings: Settings, file: str) -> Iterator[Fault]:
    """Faults of the files that a configuration names: absent, or not readable by this user."""
    for key, path in _named_files(settings):
        if fault := _trouble_of(path):
            yield Fault(file, key, *fault)
    if settings.matching.embedder is not None:
        yield from _embedder_faults(settings.matching.embedder)


def _trouble_of(path: Path) -> tuple[str, str] | None:
    """What is wrong with a file, and the remedy."""
    try:
        there, other = path.is_file(), path.exists()
    except PermissionError:
        return f"this user may not look into the folder of {path}", "Run the command as the gateway's user."
    except OSError:  # such as a name that is too long
        there = other = False
    if other and not there:
        return f"{path} is no file but a directory, pipe or device", "Give the path of a file."
    if not there:
        return f"there is no file {path}", "Create it, or correct the path."
    return None if os.access(path, os.R_OK) else (f"{path} cannot be read", "Give this user the right to read it.")


def _embedder_faults(model: Path) -> Iterator[Fault]:
    try:
        load_embedder(model)
    except ConfigError as error:
        yield from error.faults


def _is_of_network(fault: Fault, settings: Settings) -> bool:
    """Whether the network cannot even be opened."""
    embedder = settings.matching.embedder
    return fault.key == "matching.embedder" or (
        embedder is not None and fault.file == str(embedder.with_suffix(".toml"))
    )


def _network_faults(settings: Settings) -> Iterator[Fault]:
    """What children would say at their start: of the sum, of the shape, of points that the detector does not give."""
    command = [sys.executable, "-m", "gateway.vision", "check-models"]
    matching = settings.matching.model_dump(mode="json")
    asked = json.dumps({"matching": matching, "models_directory": str(settings.storage.models_directory)})
    where = str(settings.matching.embedder)
    try:
        done = subprocess.run(  # noqa: S603  # our own program
            command,
            input=asked,
            env=child_environment(os.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=_OPEN_SECONDS,
        )
        yield from (Fault(**each) for each in json.loads(done.stdout)["faults"])
    except subprocess.TimeoutExpired:
        yield Fault(where, "", f"the network was not opened within {_OPEN_SECONDS:.0f} s", "Name a smaller network.")
    except ValueError:
        said = done.stderr.strip().splitlines()[-1:] or [f"its check ended with status {done.returncode}"]
        yield Fault(where, "", f"the network cannot be opened: {redact(said[0])}", "Name another network.")


def _named_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    slices = [("mqtt", settings.mqtt), ("storage", settings.storage), ("matching", settings.matching)]
    if settings.mqtt.tls is not None:
        slices.append(("mqtt.tls", settings.mqtt.tls))
    slices += [(f"mqtt.brokers.{number}", each) for number, each in enumerate(settings.mqtt.brokers)]
    slices += [(f"sia.accounts.{each.account}", each) for each in (settings.sia.accounts if settings.sia else ())]
    slices += [(f"cameras.{each.id}", each) for each in settings.cameras]
    slices += [(f"destinations.{each.id}", each) for each in settings.destinations]
    for where, slice_ in slices:
        for key in _FILE_KEYS:
            path = getattr(slice_, key, None)
            if isinstance(path, Path):
                yield f"{where}.{key}", path
    for camera in settings.cameras:
        if camera.url.startswith("file:"):
            yield f"cameras.{camera.id}.url", Path(unquote(urlsplit(camera.url).path))
