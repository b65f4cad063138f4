"""``run``: the daemon."""

import logging

from gateway.cli.check_config import startable_settings
from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, SetOption
from gateway.daemon import configure_log, run_daemon
from gateway.settings import FILE_NAME

_log = logging.getLogger(__name__)


def run(config: ConfigOption = DEFAULT_CONFIG, set_: SetOption = None) -> None:
    """Run the gateway until SIGTERM; prints one line that begins with "ready" once presses are accepted."""
    file = str(config / FILE_NAME)
    settings, lesser = startable_settings(config, set_, file)
    configure_log()
    for fault in lesser:
        _log.error("%s", fault)
    run_daemon(settings, file=file)
