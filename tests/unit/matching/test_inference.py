"""Sessions of ONNX Runtime stay on one thread and do not spin."""

import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from gateway.matching.faults import ForeignModelError
from gateway.matching.inference import open_session


def tiny_model() -> bytes:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "tiny", [value], [result])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(made.SerializeToString())


def test_a_session_has_one_thread_that_does_not_spin() -> None:
    options = open_session(tiny_model(), "tiny").get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.execution_mode == ort.ExecutionMode.ORT_SEQUENTIAL
    for pool in ("intra_op", "inter_op"):
        assert options.get_session_config_entry(f"session.{pool}.allow_spinning") == "0"


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ForeignModelError, match="tiny"):
        open_session(b"no model", "tiny")
