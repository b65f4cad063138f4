"""Reads dlib's face recognition network, layer by layer, out of its `.dat` file.

The file does not describe itself enough to be parsed alone (a tag's version equals that of an old layer), so
the reading follows the known type of the network: dlib 19.24 `dnn_face_recognition_ex.cpp` (`anet_type`).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.matching.dlib_file import DlibReader

CHIP_SIDE = 150
DIMENSION = 128

_PLAIN_VERSION, _LAYER_VERSION, _INPUT_VERSION = 1, 2, 3
_FOUR_RATES = 4
_NO_BIAS = 1


@dataclass(frozen=True, slots=True)
class Convolution:
    """A correlation; weights (out, in, height, width) and bias (out,) once they are read."""

    filters: int
    size: int
    stride: int
    padding: int
    weights: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    bias: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


@dataclass(frozen=True, slots=True)
class Affine:
    """y = gamma * x + beta per channel."""

    gamma: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    beta: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


@dataclass(frozen=True, slots=True)
class Relu:
    """The positive part."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The maximum or the mean of windows; size 0 is the whole plane."""

    kind: str
    size: int
    stride: int


@dataclass(frozen=True, slots=True)
class Tag:
    """Gives the values at this place a name."""

    name: int


@dataclass(frozen=True, slots=True)
class Skip:
    """Goes on from the values of a tag."""

    tag: int


@dataclass(frozen=True, slots=True)
class AddTag:
    """Adds the values of a tag; what one of the two lacks in any dimension counts as 0."""

    tag: int


@dataclass(frozen=True, slots=True)
class Linear:
    """y = x @ weights, weights (in, out), no bias."""

    outputs: int
    weights: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


Layer = Convolution | Affine | Relu | Pool | Tag | Skip | AddTag | Linear


@dataclass(frozen=True, slots=True)
class DlibNetwork:
    """The network as read: mean colour (3,) of the input in RGB, and the layers from input to output."""

    mean_colour: tuple[float, float, float]
    layers: tuple[Layer, ...]


def _block(filters: int, stride: int) -> list[Layer]:
    first = Convolution(filters, 3, stride, 1 if stride == 1 else 0)
    return [Tag(1), first, Affine(), Relu(), Convolution(filters, 3, 1, 1), Affine()]


def _residual(filters: int) -> list[Layer]:
    return [*_block(filters, 1), AddTag(1), Relu()]


def _residual_down(filters: int) -> list[Layer]:
    return [*_block(filters, 2), Tag(2), Skip(1), Pool("avg_pool_2", 2, 2), AddTag(2), Relu()]


def _recipe() -> list[Layer]:
    layers: list[Layer] = [Convolution(32, 7, 2, 0), Affine(), Relu(), Pool("max_pool_2", 3, 2)]
    layers += _residual(32) * 3
    for filters, count in ((64, 3), (128, 2), (256, 2), (256, 0)):
        layers += _residual_down(filters) + _residual(filters) * count
    return [*layers, Pool("avg_pool_2", 0, 1), Linear(DIMENSION)]


def parse_network(data: bytes, name: str) -> DlibNetwork:
    """Read the network from the bytes of a file called `name`, to the last one.

    Raises:
        TruncatedModelError: the file ends too early.
        ForeignModelError: the file is another network, another version or no dlib file.
    """
    reader = DlibReader(data, name)
    recipe = _recipe()
    _read_loss(reader)
    for layer in reversed(recipe[1:]):
        plain = isinstance(layer, Tag | Skip)
        reader.expect(reader.integer, _PLAIN_VERSION if plain else _LAYER_VERSION, "layer version")
    reader.expect(reader.integer, _INPUT_VERSION, "input layer version")
    mean = _read_input(reader)
    layers: list[Layer] = []
    channels = 3
    for layer in recipe:
        layers.append(_read_layer(reader, layer, channels))
        channels = layer.filters if isinstance(layer, Convolution) else channels
        if layer is recipe[0]:
            reader.expect(reader.integer, 1, "sample expansion factor")
    reader.finish()
    return DlibNetwork(mean, tuple(layers))


def _read_loss(reader: DlibReader) -> None:
    reader.expect(reader.integer, _PLAIN_VERSION, "loss layer version")
    reader.expect(reader.text, "loss_metric_2", "loss layer")
    reader.number()
    reader.number()


def _read_input(reader: DlibReader) -> tuple[float, float, float]:
    reader.expect(reader.text, "input_rgb_image_sized", "input layer")
    mean = (reader.number(), reader.number(), reader.number())
    reader.expect(reader.integer, CHIP_SIDE, "rows of the input")
    reader.expect(reader.integer, CHIP_SIDE, "columns of the input")
    return mean


def _read_layer(reader: DlibReader, layer: Layer, channels: int) -> Layer:
    match layer:
        case Tag() | Skip():
            return layer
        case Convolution():
            read: Layer = _read_convolution(reader, layer, channels)
        case Affine():
            read = _read_affine(reader, channels)
        case Linear():
            read = _read_linear(reader, layer, channels)
        case Pool():
            read = _read_pool(reader, layer)
        case Relu():
            reader.expect(reader.text, "relu_", "layer")
            read = layer
        case AddTag():
            reader.expect(reader.text, "add_prev_", "layer")
            read = layer
    _read_state(reader)
    return read


def _read_state(reader: DlibReader) -> None:
    """What training leaves behind each layer: three flags and three tensors."""
    for _ in range(3):
        reader.boolean()
    for _ in range(3):
        reader.tensor()


def _read_convolution(reader: DlibReader, layer: Convolution, channels: int) -> Convolution:
    reader.expect(reader.text, "con_4", "layer")
    values = reader.tensor().ravel()
    geometry = (layer.filters, layer.size, layer.size, layer.stride, layer.stride, layer.padding, layer.padding)
    for wanted in geometry:
        reader.expect(reader.integer, wanted, "geometry of a convolution")
    shape = (layer.filters, channels, layer.size, layer.size)
    reader.expect(reader.alias, shape, "shape of the filters")
    reader.expect(reader.alias, (1, layer.filters, 1, 1), "shape of the biases")
    _read_rates(reader)
    weights, bias = _cut(reader, values, int(np.prod(shape)), layer.filters)
    return Convolution(
        layer.filters, layer.size, layer.stride, layer.padding, weights=weights.reshape(shape), bias=bias
    )


def _read_affine(reader: DlibReader, channels: int) -> Affine:
    reader.expect(reader.text, "affine_", "layer")
    values = reader.tensor().ravel()
    for _ in range(2):
        reader.expect(reader.alias, (1, channels, 1, 1), "shape of an affine layer")
    reader.expect(reader.integer, 0, "mode of an affine layer")
    return Affine(*_cut(reader, values, channels, channels))


def _read_pool(reader: DlibReader, layer: Pool) -> Pool:
    reader.expect(reader.text, layer.kind, "layer")
    for wanted in (layer.size, layer.size, layer.stride, layer.stride, 0, 0):
        reader.expect(reader.integer, wanted, "geometry of a pool")
    return layer


def _read_linear(reader: DlibReader, layer: Linear, channels: int) -> Linear:
    reader.expect(reader.text, "fc_2", "layer")
    reader.expect(reader.integer, layer.outputs, "outputs of the last layer")
    reader.expect(reader.integer, channels, "inputs of the last layer")
    values = reader.tensor().ravel()
    reader.expect(reader.alias, (channels, layer.outputs, 1, 1), "shape of the last layer")
    reader.alias()
    reader.expect(reader.integer, _NO_BIAS, "bias mode of the last layer")
    _read_rates(reader)
    weights, _ = _cut(reader, values, channels * layer.outputs, 0)
    return Linear(layer.outputs, weights=weights.reshape(channels, layer.outputs))


def _read_rates(reader: DlibReader) -> None:
    for _ in range(_FOUR_RATES):
        reader.number()


def _cut(
    reader: DlibReader, values: NDArray[np.float32], first: int, second: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if values.size != first + second:
        raise reader.foreign(f"{values.size} parameters where {first + second} belong")
    if not np.isfinite(values).all():
        raise reader.foreign("parameters that are no finite numbers")
    return values[:first], values[first:]
