"""``run``: the daemon."""

from gateway.cli.check_config import further_faults
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption, settings_of
from gateway.daemon import configure_log, run_daemon
from gateway.errors import ConfigError


def run(config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Run the gateway until SIGTERM; prints one line that begins with "ready" once presses are accepted."""
    settings = settings_of(config, set_)
    file = str(config / "gateway.toml")
    faults = list(further_faults(settings, file))
    if faults:
        raise ConfigError(faults)
    configure_log()
    run_daemon(settings, file=file)
