"""Opens ONNX Runtime sessions that stay on one thread and do not spin."""

import onnxruntime as ort

from gateway.matching.faults import ForeignModelError


def open_session(model: bytes, name: str) -> ort.InferenceSession:
    """A CPU session over the serialized `model`; `name` stands in the error text.

    One thread and no spinning: on a gateway several streams share few cores; a spinning pool costs more than it gains.

    Raises:
        ForeignModelError: ONNX Runtime cannot use it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # Else a plan of memory for each shape of input, for ever: regions and batches have hundreds, and gain nothing.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no nearer base
        raise ForeignModelError("is no model that ONNX Runtime can run", where=name) from error
