"""Runs any face network that an ``.onnx`` file and the TOML beside it describe."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.matching.embedder import BATCH, Metric, check_chips, fingerprint_of
from gateway.matching.faults import ForeignModelError, ModelFileError
from gateway.matching.inference import open_session
from gateway.settings import EmbedderSettings, embedder_file

# The largest distance of a match in every embedder's vectors, so that one policy serves all; it is dlib's.
_REFERENCE = 0.6
_DTYPES: dict[str, np.dtype[np.generic]] = {"tensor(float)": np.dtype(np.float32), "tensor(uint8)": np.dtype(np.uint8)}
_TINIEST = 1e-12


class OnnxEmbedder:
    """An embedder by configuration, on one thread of ONNX Runtime.

    Its vectors are scaled so that the threshold that the TOML states becomes a Euclidean distance of 0.6:

    * ``euclidean``: distance d becomes 0.6 d / threshold;
    * ``cosine``: vectors are brought to length 1 first, where a similarity c is a distance sqrt(2 - 2c), which grows as
      c falls; it becomes 0.6 sqrt((1 - c) / (1 - threshold)).

    Either way who is nearer stays nearer, and thresholds and margins of the settings mean the same share of the
    network's own threshold as they do with dlib's.

    Args:
        model: the ``.onnx`` file.
        settings: what its TOML says (`load_embedder`).

    Raises:
        ModelFileError: the file cannot be read; `ForeignModelError`: its sum, its input or its output is another than
            the TOML says.
    """

    def __init__(self, model: Path, settings: EmbedderSettings) -> None:
        self._settings = settings
        self._where = str(embedder_file(model))
        self._session = open_session(_checked(model, settings.sha256), str(model))
        self._input, self._dtype, self._batch = self._check_input()
        self._scale = _scale(settings)
        recipe = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:8]
        self._fingerprint = fingerprint_of(settings.name, f"{settings.sha256[:16]}-{recipe}", settings.metric)
        self._try()

    @property
    def fingerprint(self) -> str:
        """The name, the start of the file's SHA-256 and of that of the TOML's values, all of which shape a vector."""
        return self._fingerprint

    @property
    def chip_side(self) -> int:
        """As the TOML says."""
        return self._settings.input.size

    @property
    def dimension(self) -> int:
        """As the TOML says."""
        return self._settings.dimension

    @property
    def metric(self) -> Metric:
        """As the TOML says."""
        return self._settings.metric

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scaled vectors (n, dimension) of chips (n, side, side, 3) uint8 RGB, at most 16 at a time.

        Raises:
            BadImageError: another shape or type.
        """
        check_chips(chips, self.chip_side)
        out = np.empty((len(chips), self.dimension), np.float32)
        for start in range(0, len(chips), self._batch):
            out[start : start + self._batch] = self._run(chips[start : start + self._batch])
        if self.metric == "cosine":
            out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), _TINIEST)
        return np.asarray(out * np.float32(self._scale), np.float32)

    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        given = self._settings.input
        pixels = chips if given.channels == "rgb" else chips[..., ::-1]
        values = ((pixels - np.array(given.mean, np.float32)) * np.float32(given.scale)).astype(self._dtype)
        tensor = values.transpose(0, 3, 1, 2) if given.layout == "nchw" else values
        return np.asarray(self._session.run(None, {self._input: np.ascontiguousarray(tensor)})[0])

    def _check_input(self) -> tuple[str, np.dtype[np.generic], int]:
        """The input's name and type, and how many chips it takes at once."""
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise self._foreign("input", f"the network has {len(inputs)} inputs, not 1")
        (found,) = inputs
        size = self.chip_side
        wanted = (3, size, size) if self._settings.input.layout == "nchw" else (size, size, 3)
        free = [given if isinstance(given, int) else want for given, want in zip(found.shape[1:], wanted, strict=False)]
        if len(found.shape) != 1 + len(wanted) or tuple(free) != wanted:
            raise self._foreign("input", f"the network takes {found.shape}, the file says (n, {wanted})")
        if found.type not in _DTYPES:
            raise self._foreign("input", f"the network takes {found.type}, not float or uint8")
        if found.type == "tensor(uint8)" and (any(self._settings.input.mean) or self._settings.input.scale != 1):
            raise self._foreign("input", "the network takes pixels as they are (uint8): mean must be 0 and scale 1")
        batch = found.shape[0]
        if isinstance(batch, int) and batch != 1:
            raise self._foreign("input", f"the network takes exactly {batch} chips at once, not 1 or any number")
        return found.name, _DTYPES[found.type], batch if isinstance(batch, int) else BATCH

    def _try(self) -> None:
        """Run a few chips, so that a wrong output is found at start and not at the first face."""
        found = np.concatenate([self._tried(chip[None]) for chip in self._samples()])
        if (found == found[0]).all():
            raise self._foreign("input", "the network answers the same whatever it is shown")

    def _samples(self) -> NDArray[np.uint8]:
        """A ramp, noise, black and white (4, side, side, 3): what overflows in half precision shows on one of them."""
        shape = (self.chip_side, self.chip_side, 3)
        ramp = np.linspace(0, 255, self.chip_side**2 * 3).astype(np.uint8).reshape(shape)
        noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        return np.stack([ramp, noise, np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)])

    def _tried(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            found = self._run(chip)
        except Exception as error:  # ONNX Runtime's exceptions share no nearer base
            raise self._foreign("input", "the network fails on a chip as the file describes it") from error
        if found.shape != (1, self.dimension):
            raise self._foreign("dimension", f"the network answers {found.shape}, the file says (n, {self.dimension})")
        if found.dtype != np.float32 or not np.isfinite(found).all():
            raise self._foreign("dimension", f"the network answers {found.dtype} that are no finite numbers")
        return found

    def _foreign(self, key: str, what: str) -> ForeignModelError:
        remedy = "Correct the key as docs/embedders.md says, or name another model"
        return ForeignModelError(f"{key}: {what}", where=self._where, remedy=remedy)


def _scale(settings: EmbedderSettings) -> float:
    if settings.metric == "cosine":
        return _REFERENCE / float(np.sqrt(2 - 2 * settings.threshold))
    return _REFERENCE / settings.threshold


def _checked(model: Path, sha256: str) -> bytes:
    try:
        data = model.read_bytes()
    except OSError as error:
        remedy = "Correct matching.embedder, or put the file there"
        raise ModelFileError(f"cannot be read ({error.strerror})", where=str(model), remedy=remedy) from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ForeignModelError(
            f"sha256: the file beside it has {found}",
            where=str(embedder_file(model)),
            remedy="Put the model there that the file describes, or correct the key",
        )
    return data
