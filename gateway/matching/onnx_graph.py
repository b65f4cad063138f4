"""Builds an ONNX graph of dlib's face network, affine layers and the input's scaling folded into convolutions."""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gateway.matching.dlib_network import (
    CHIP_SIDE,
    AddTag,
    Affine,
    Convolution,
    DlibNetwork,
    Layer,
    Linear,
    Pool,
    Relu,
    Skip,
    Tag,
)

_OPSET = 17
_IR_VERSION = 8
_PIXEL_SCALE = 256.0

Shape = tuple[int, int, int]  # channels, rows, columns


def build_graph(network: DlibNetwork) -> bytes:
    """The network as a serialized ONNX model.

    The model's input `chips` is (n, 150, 150, 3) uint8 RGB, its output `embeddings` is (n, 128) float32, as dlib
    computes it: not normalised.
    """
    builder = _Builder()
    builder.open_input()
    layers = list(network.layers)
    for index, layer in enumerate(layers):
        if isinstance(layer, Convolution):
            affine = layers[index + 1]
            mean = network.mean_colour if index == 0 else None
            builder.convolve(layer, *_folded(layer, affine, mean))
        else:
            builder.add(layer)
    return builder.serialize()


def _folded(
    layer: Convolution, affine: Layer, mean: tuple[float, float, float] | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights and bias of a convolution that does the affine layer behind it (and the input's scaling) too."""
    weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
    if mean is not None:
        weights /= _PIXEL_SCALE
        bias = bias - np.einsum("oihw,i->o", weights, np.array(mean))
    if isinstance(affine, Affine):
        weights *= affine.gamma[:, None, None, None]
        bias = bias * affine.gamma + affine.beta
    return weights.astype(np.float32), bias.astype(np.float32)


class _Builder:
    """Appends nodes one behind the other and follows the shape, which the additions need."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._tags: dict[int, tuple[str, Shape]] = {}
        self._value = "chips"
        self._shape: Shape = (3, CHIP_SIDE, CHIP_SIDE)

    def open_input(self) -> None:
        self._value = self._node("Cast", [self._value], to=TensorProto.FLOAT)
        self._value = self._node("Transpose", [self._value], perm=[0, 3, 1, 2])

    def convolve(self, layer: Convolution, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        inputs = [self._value, self._constant(weights), self._constant(bias)]
        self._value = self._node(
            "Conv", inputs, strides=[layer.stride] * 2, pads=[layer.padding] * 4, kernel_shape=[layer.size] * 2
        )
        self._shape = (layer.filters, *self._shrunk(layer.size - 2 * layer.padding, layer.stride))

    def add(self, layer: Layer) -> None:
        match layer:
            case Relu():
                self._value = self._node("Relu", [self._value])
            case Pool():
                self._pool(layer)
            case Tag():
                self._tags[layer.name] = (self._value, self._shape)
            case Skip():
                self._value, self._shape = self._tags[layer.tag]
            case AddTag():
                self._add_tag(layer)
            case Linear():
                self._value = self._node("Flatten", [self._value])
                self._value = self._node("MatMul", [self._value, self._constant(layer.weights)])
            case Affine() | Convolution():
                pass  # `convolve` did both

    def serialize(self) -> bytes:
        self._nodes[-1].output[0] = "embeddings"
        chips = helper.make_tensor_value_info("chips", TensorProto.UINT8, ["n", CHIP_SIDE, CHIP_SIDE, 3])
        result = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", "dimension"])
        graph = helper.make_graph(self._nodes, "dlib-face-resnet", [chips], [result], self._constants)
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))

    def _pool(self, layer: Pool) -> None:
        if layer.size == 0:
            self._value = self._node("GlobalAveragePool", [self._value])
            self._shape = (self._shape[0], 1, 1)
            return
        kind = "MaxPool" if layer.kind.startswith("max") else "AveragePool"
        window = {"kernel_shape": [layer.size] * 2, "strides": [layer.stride] * 2}
        self._value = self._node(kind, [self._value], **window)
        self._shape = (self._shape[0], *self._shrunk(layer.size, layer.stride))

    def _add_tag(self, layer: AddTag) -> None:
        other, shape = self._tags[layer.tag]
        whole = (
            max(self._shape[0], shape[0]),
            max(self._shape[1], shape[1]),
            max(self._shape[2], shape[2]),
        )
        branch = self._padded(self._value, self._shape, whole)
        self._value = self._node("Add", [branch, self._padded(other, shape, whole)])
        self._shape = whole

    def _padded(self, value: str, shape: Shape, whole: Shape) -> str:
        if shape == whole:
            return value
        behind = [0, *(big - small for big, small in zip(whole, shape, strict=True))]
        return self._node("Pad", [value, self._constant(np.array([0] * 4 + behind, np.int64))])

    def _shrunk(self, reach: int, stride: int) -> tuple[int, int]:
        return (self._shape[1] - reach) // stride + 1, (self._shape[2] - reach) // stride + 1

    def _node(self, kind: str, inputs: Sequence[str], **attributes: int | list[int]) -> str:
        output = f"v{len(self._nodes)}"
        node = helper.make_node(kind, inputs, [output])
        node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
        self._nodes.append(node)
        return output

    def _constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name
