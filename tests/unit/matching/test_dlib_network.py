import numpy as np
import pytest

from gateway.matching import ForeignModelError, ModelFiles, TruncatedModelError
from gateway.matching.dlib_network import AddTag, Affine, Convolution, Linear, parse_network


@pytest.fixture(scope="module")
def data(models: ModelFiles) -> bytes:
    return models.weights.read_bytes()


def test_the_whole_network_is_read_to_the_last_byte(data: bytes) -> None:
    network = parse_network(data, "net.dat")
    convolutions = [layer for layer in network.layers if isinstance(layer, Convolution)]
    affines = [layer for layer in network.layers if isinstance(layer, Affine)]
    linear = network.layers[-1]
    assert isinstance(linear, Linear)
    parameters = sum(c.weights.size + c.bias.size for c in convolutions) + linear.weights.size
    parameters += sum(a.gamma.size + a.beta.size for a in affines)
    assert (len(convolutions), len(affines)) == (29, 29)
    assert sum(isinstance(layer, AddTag) for layer in network.layers) == 14
    assert parameters == 5_614_592
    assert network.mean_colour == pytest.approx((122.782, 117.001, 104.298), abs=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.00001, 0.001, 0.3, 0.9, 0.9999999])
def test_a_file_cut_short_is_truncated(data: bytes, share: float) -> None:
    with pytest.raises(TruncatedModelError, match="too early"):
        parse_network(data[: int(len(data) * share)], "net.dat")


def test_bytes_behind_the_end_are_foreign(data: bytes) -> None:
    with pytest.raises(ForeignModelError, match="1 bytes follow"):
        parse_network(data + b"\0", "net.dat")


@pytest.mark.parametrize("name", ["shape_predictor_5_face_landmarks.dat", "mmod_human_face_detector.dat"])
def test_other_dlib_files_are_foreign(models: ModelFiles, name: str) -> None:
    with pytest.raises(ForeignModelError):
        parse_network((models.weights.parent / name).read_bytes(), name)


@pytest.mark.parametrize("junk", [b"\x89PNG\r\n\x1a\n" * 9, b"version https://git-lfs\n" * 9, b"\x01\x01" * 200])
def test_files_of_another_kind_are_foreign(junk: bytes) -> None:
    with pytest.raises(ForeignModelError):
        parse_network(junk, "net.dat")


def test_parameters_that_are_no_numbers_are_foreign(data: bytes) -> None:
    stem = parse_network(data, "net.dat").layers[0]
    assert isinstance(stem, Convolution)
    place = data.index(np.ascontiguousarray(stem.weights.ravel()[:8]).tobytes())
    broken = data[:place] + np.array([np.nan], "<f4").tobytes() + data[place + 4 :]
    with pytest.raises(ForeignModelError, match="no finite numbers"):
        parse_network(broken, "net.dat")
