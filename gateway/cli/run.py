"""``run``: the daemon."""

from gateway.cli.check_config import checked_settings
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption
from gateway.daemon import configure_log, run_daemon
from gateway.settings import FILE_NAME


def run(config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Run the gateway until SIGTERM; prints one line that begins with "ready" once presses are accepted."""
    file = str(config / FILE_NAME)
    settings = checked_settings(config, set_, file)
    configure_log()
    run_daemon(settings, file=file)
