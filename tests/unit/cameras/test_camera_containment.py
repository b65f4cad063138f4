"""What the ONVIF library does to the process at import stays without effect, and no decoder is loaded."""

import subprocess
import sys

_SCRIPT = """
import logging, os, sys
os.environ["http_proxy"] = os.environ["https_proxy"] = "http://192.0.2.1:3128"
import gateway.cameras
assert "onvif" not in sys.modules and "zeep" not in sys.modules, "loaded before it is needed"
from gateway.cameras import OnvifAddress, OnvifLibrary
from gateway.cameras.caller import SoapCaller
from gateway.cameras.clock_offset import ClockOffset
from gateway.cameras.http import CameraHttp, Timeouts
from gateway.cameras.lockout import PasswordGuard
from gateway.clock import ManualClock
guard = PasswordGuard("here", ManualClock())
http = CameraHttp("here", None, Timeouts())
caller = SoapCaller("here", "http://127.0.0.1:1/", http, None, guard, ClockOffset(ManualClock()))
OnvifLibrary().open(OnvifAddress("127.0.0.1", 1), caller, {})
assert "onvif" in sys.modules
assert not logging.getLogger().handlers, "root handlers"
assert logging.getLogger().level == logging.WARNING, "root level"
assert logging.getLogger("zeep.client").level == logging.NOTSET, "zeep level"
assert os.environ["http_proxy"] == os.environ["https_proxy"] == "http://192.0.2.1:3128", "proxies"
loaded = {"av", "cv2", "onnxruntime", "numpy", "dlib"} & sys.modules.keys()
assert not loaded, loaded
"""


def test_loading_the_library_leaves_no_trace_and_no_decoder() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, timeout=30, check=False)

    assert (done.returncode, done.stderr) == (0, "")
