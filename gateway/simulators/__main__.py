"""`python -m gateway.simulators camera|button|panel|office|police …`."""

import sys

from gateway.simulators.dispatch import main

sys.exit(main(sys.argv[1:]))
