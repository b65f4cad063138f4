"""The TOML beside an embedder's ``.onnx`` file: how faces go into the network and how its vectors are compared."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from gateway.errors import ConfigError, Fault
from gateway.settings.base import Slice

_Finite = Annotated[float, Field(allow_inf_nan=False)]
TemplatePoint = tuple[_Finite, _Finite]
_REMEDY = "docs/embedders.md shows a whole file."


class _Strict(Slice):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class EmbedderInput(_Strict):
    """What the network takes: value = (pixel 0..255 - mean) * scale.

    Attributes:
        size: side of the square chip, in px.
        layout: order of the input's axes: n, channels, rows, columns or n, rows, columns, channels.
        channels: order of the colours; the means follow it.
    """

    size: Annotated[int, Field(ge=32, le=512)]
    layout: Literal["nchw", "nhwc"] = "nchw"
    channels: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[_Finite, _Finite, _Finite] = (127.5, 127.5, 127.5)
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1 / 127.5


class EmbedderAlignment(_Strict):
    """Where five points of a face lie in the chip (x, y in px), from which the chip is cut.

    Attributes:
        points: ``landmarks``: the detector's, as they lie in the image: left eye, right eye, tip of the nose, left and
            right corner of the mouth. ``dlib``: those of its 5-point predictor: outer and inner corner of the eye on
            the image's right, of the eye on its left, base of the nose.
    """

    points: Literal["landmarks", "dlib"] = "landmarks"
    template: tuple[TemplatePoint, TemplatePoint, TemplatePoint, TemplatePoint, TemplatePoint]

    @model_validator(mode="after")
    def _spread(self) -> Self:
        if len(set(self.template)) < len(self.template):
            raise ValueError("two points of the template lie on one another")
        return self


class EmbedderSettings(_Strict):
    """An embedder by configuration.

    Attributes:
        name: letters, digits, dots and dashes; in every event that the network decided, and in the templates.
        sha256: of the ``.onnx`` file.
        dimension: components of a vector.
        metric: ``cosine`` compares directions only, ``euclidean`` the vectors as they are.
        threshold: of a match, as the network's makers state it: for ``cosine`` the least similarity, for ``euclidean``
            the largest distance.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    dimension: Annotated[int, Field(ge=2, le=4096)]
    metric: Literal["cosine", "euclidean"]
    threshold: _Finite
    input: EmbedderInput
    alignment: EmbedderAlignment

    @model_validator(mode="after")
    def _threshold_of_metric(self) -> Self:
        if self.metric == "cosine" and not -1 < self.threshold < 1:
            raise ValueError("threshold: a cosine similarity lies between -1 and 1")
        if self.metric == "euclidean" and self.threshold <= 0:
            raise ValueError("threshold: a distance is above 0")
        return self


def embedder_file(model: Path) -> Path:
    """Where the TOML of an embedder's ``.onnx`` file is."""
    return model.with_suffix(".toml")


def load_embedder(model: Path) -> EmbedderSettings:
    """Read the TOML beside the ``.onnx`` file `model`.

    Raises:
        ConfigError: with every fault found: file, key, what is wrong, remedy.
    """
    path = embedder_file(model)
    try:
        # By way of JSON, where strictness lets an array be a tuple.
        return EmbedderSettings.model_validate_json(json.dumps(_read(path), default=str))
    except ValidationError as error:
        raise ConfigError([_fault(each, path) for each in error.errors()]) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([Fault(str(path), "", "there is no such file beside the model", _REMEDY)]) from None
    except (OSError, UnicodeDecodeError) as error:
        what = f"it cannot be read ({type(error).__name__})"
        raise ConfigError([Fault(str(path), "", what, "Make it a readable UTF-8 file.")]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Fault(str(path), "", f"not TOML: {error}", "Mend that line.")]) from None


def _fault(error: Any, path: Path) -> Fault:  # noqa: ANN401  # pydantic's ErrorDetails
    key = ".".join(str(part) for part in error["loc"])
    what = error["msg"].removeprefix("Value error, ")
    if error["type"] == "missing":
        what = "the key is missing"
    return Fault(str(path), key, what, _REMEDY)
