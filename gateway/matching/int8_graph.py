"""Makes the int8 form of the face network's graph from ranges of its values that were measured once and are shipped.

Weights are signed, one scale per channel and seven bits wide (without VNNI eight would saturate), values unsigned with
one scale per tensor. The last pooling and the linear layer stay in fp32: they take no time worth saving, and in int8
would add a fifth to the error.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.matching.faults import ForeignModelError
from gateway.matching.inference import open_session

RANGES_FILE = Path(__file__).with_name("int8_ranges.json")
_RECIPE = 1
_KEPT_FP32 = ("GlobalAveragePool", "Flatten", "MatMul")
_BATCH = 8

TensorRanges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Int8Error:
    """Distances (L2) between the fp32 and the int8 vectors of faces that the ranges were not measured on."""

    median: float
    p95: float
    most: float
    chips: int

    def __str__(self) -> str:
        return f"median {self.median:.3f}, 95 % {self.p95:.3f}, most {self.most:.3f} over {self.chips} chips"


@dataclass(frozen=True, slots=True)
class Int8Recipe:
    """What is shipped for one dlib file.

    Attributes:
        weights_sha256: of the `.dat` file.
        graph_version: of the fp32 graph whose tensors the ranges name.
        ranges: the least and the largest value of each tensor.
        error: what it costs.
    """

    weights_sha256: str
    graph_version: int
    ranges: TensorRanges
    error: Int8Error

    @property
    def version(self) -> str:
        """Tells one recipe from another, in file names and fingerprints."""
        text = json.dumps([_RECIPE, sorted(self.ranges.items())])
        return f"int8-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def require(self, weights_sha256: str, graph_version: int) -> None:
        """Refuse, by `ForeignModelError`, to quantise another network than the one measured."""
        if (weights_sha256, graph_version) != (self.weights_sha256, self.graph_version):
            raise ForeignModelError(
                f"is of weights {self.weights_sha256[:12]}…, graph {self.graph_version}, "
                f"not of {weights_sha256[:12]}…, graph {graph_version}",
                where=str(RANGES_FILE),
                remedy='Set matching.precision = "fp32"',
            )


def load_recipe(path: Path = RANGES_FILE) -> Int8Recipe:
    """The recipe that is shipped, as `fixtures/calibrate_int8.py` wrote it.

    Raises:
        ForeignModelError: the file is missing or no recipe.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        ranges = {name: (float(low), float(high)) for name, (low, high) in tree["ranges"].items()}
        return Int8Recipe(tree["weights_sha256"], int(tree["graph_version"]), ranges, Int8Error(**tree["error"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = 'Install the gateway again, or set matching.precision = "fp32"'
        raise ForeignModelError("holds no ranges for int8", where=str(path), remedy=remedy) from error


def measure_ranges(graph: bytes, chips: NDArray[np.uint8]) -> dict[str, tuple[float, float]]:
    """The least and the largest value of each tensor of an fp32 graph over chips (n, 150, 150, 3)."""
    import onnx  # noqa: PLC0415 - costs 1 s, and only a calibration needs it

    model = onnx.load_from_string(graph)
    names = [node.output[0] for node in model.graph.node]
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    session = open_session(model.SerializeToString(), "the face network")
    low, high = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    for start in range(0, len(chips), _BATCH):
        found = session.run(names, {"chips": np.ascontiguousarray(chips[start : start + _BATCH])})
        low = np.minimum(low, [values.min() for values in found])
        high = np.maximum(high, [values.max() for values in found])
    return {name: (float(a), float(b)) for name, a, b in zip(names, low, high, strict=True)}


def quantize_graph(graph: bytes, ranges: TensorRanges) -> bytes:
    """The int8 form of an fp32 graph; the same input and output.

    Raises:
        ForeignModelError: the ranges are of another graph.
    """
    import onnx  # noqa: PLC0415 - costs 1 s, needed once only
    from onnxruntime.quantization import CalibrationMethod, QuantType  # noqa: PLC0415 - as above
    from onnxruntime.quantization.calibrate import TensorsData  # noqa: PLC0415 - as above
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer  # noqa: PLC0415 - as above

    model = onnx.load_from_string(graph)
    wanting = {node.output[0] for node in model.graph.node} - set(ranges)
    if wanting:
        raise ForeignModelError(f"lacks the ranges of {len(wanting)} tensors", where=str(RANGES_FILE))
    for index, node in enumerate(model.graph.node):
        node.name = f"n{index}"
    exact = [node.name for node in model.graph.node if node.op_type in _KEPT_FP32]
    kinds = sorted({node.op_type for node in model.graph.node} - {"Cast", "Transpose", *_KEPT_FP32})
    measured = {name: (np.array(low, np.float32), np.array(high, np.float32)) for name, (low, high) in ranges.items()}
    data = TensorsData(CalibrationMethod.MinMax, measured)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantizer = QDQQuantizer(model, True, True, QuantType.QInt8, QuantType.QUInt8, data, [], exact, kinds, {})
        quantizer.quantize_model()
    return bytes(quantizer.model.model.SerializeToString(deterministic=True))
