"""Writes a small face network as an ``.onnx`` file with its TOML, for tests of embedders by configuration."""

import hashlib
from pathlib import Path
from typing import Literal

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SIDE, DIMENSION = 48, 24
LANDMARKS = ((16.0, 19.0), (32.0, 19.0), (24.0, 27.0), (18.0, 36.0), (30.0, 36.0))

_FORM = """\
name = "{name}"
sha256 = "{sha256}"
dimension = {dimension}
metric = "{metric}"
threshold = {threshold}

[input]
size = {side}
layout = "{layout}"
channels = "{channels}"
mean = [127.5, 127.5, 127.5]
scale = 0.0078125

[alignment]
points = "landmarks"
template = [[16, 19], [32, 19], [24, 27], [18, 36], [30.0, 36.0]]
"""


def write_tiny_embedder(
    folder: Path,
    *,
    name: str = "tiny",
    metric: Literal["cosine", "euclidean"] = "cosine",
    layout: Literal["nchw", "nhwc"] = "nchw",
    channels: Literal["rgb", "bgr"] = "rgb",
    batch: int | str = "n",
    pixels: bool = False,
    threshold: float = 0.4,
    dimension: int = DIMENSION,
    seed: int = 5,
    size: float = 0.1,
) -> Path:
    """Write `<folder>/<name>.onnx` and `.toml`; returns the path of the former.

    The network is a random convolution, a rectifier and a random linear layer; with `pixels` it takes uint8 as it is.
    `dimension` is what the TOML says; the network has 24. `size` is that of the last layer's weights.
    """
    model = folder / f"{name}.onnx"
    model.write_bytes(_network(layout, batch, seed, size, pixels=pixels))
    form = _FORM.format(
        name=name,
        sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        dimension=dimension,
        metric=metric,
        threshold=threshold,
        side=SIDE,
        layout=layout,
        channels=channels,
    )
    if pixels:
        form = form.replace("mean = [127.5, 127.5, 127.5]\nscale = 0.0078125", "mean = [0, 0, 0]\nscale = 1")
    model.with_suffix(".toml").write_text(form)
    return model


def _network(layout: str, batch: int | str, seed: int, size: float, *, pixels: bool) -> bytes:
    rng = np.random.default_rng(seed)
    filters = rng.normal(0, 0.3, (6, 3, 8, 8)).astype(np.float32)
    weights = rng.normal(0, size, (6 * 36, DIMENSION)).astype(np.float32)
    shape = [batch, 3, SIDE, SIDE] if layout == "nchw" else [batch, SIDE, SIDE, 3]
    order = [0, 3, 1, 2] if layout == "nhwc" else [0, 1, 2, 3]
    nodes = [
        helper.make_node("Cast", ["face"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["values"], ["planes"], perm=order),
        helper.make_node("Conv", ["planes", "filters"], ["a"], strides=[8, 8]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Flatten", ["b"], ["c"]),
        helper.make_node("MatMul", ["c", "weights"], ["vector"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("face", TensorProto.UINT8 if pixels else TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [batch, DIMENSION])],
        [numpy_helper.from_array(filters, "filters"), numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))
