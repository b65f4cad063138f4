import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.matching import DlibEmbedder, FivePointAligner, ForeignModelError, ModelFiles, YuNetDetector, graph_cache
from gateway.matching.graph_cache import GraphSource
from gateway.matching.inference import open_session
from gateway.matching.int8_graph import load_recipe, measure_ranges, quantize_graph

PEOPLE = {"obama": ("obama", "obama2", "obama3"), "biden": ("biden",), "astronaut": ("astronaut",)}
Chips = NDArray[np.uint8]


@pytest.fixture(scope="module")
def source(models: ModelFiles, tmp_path_factory: pytest.TempPathFactory) -> GraphSource:
    return GraphSource(models.weights, tmp_path_factory.mktemp("graphs"))


@pytest.fixture(scope="module")
def chips(
    portrait: Callable[[str], NDArray[np.uint8]], yunet: YuNetDetector, aligner: FivePointAligner
) -> dict[str, Chips]:
    """Each person's chips from faces 40, 80 and 160 px high, plain and dark."""
    found: dict[str, list[Chips]] = {person: [] for person in PEOPLE}
    for person, names in PEOPLE.items():
        for name in names:
            picture = portrait(name)
            factors = [height / yunet.detect(picture)[0].height for height in (40, 80, 160)]
            for factor in factors:
                small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
                chip = aligner.align(np.asarray(small, np.uint8), yunet.detect(np.asarray(small, np.uint8))[0])
                assert chip is not None
                found[person] += [chip, (chip * 0.5).astype(np.uint8)]
    return {person: np.stack(each) for person, each in found.items()}


def distances(one: bytes, other: bytes, chips: Chips) -> NDArray[np.float64]:
    a, b = (open_session(graph, "graph").run(None, {"chips": chips})[0] for graph in (one, other))
    return np.asarray(np.linalg.norm(a - b, axis=1), np.float64)


def test_int8_is_near_fp32_on_a_person_it_was_not_measured_on(source: GraphSource, chips: dict[str, Chips]) -> None:
    graph = source.load(1)
    for held_out in PEOPLE:
        others = np.concatenate([each for person, each in chips.items() if person != held_out])
        coarse = quantize_graph(graph, measure_ranges(graph, others))
        found = distances(graph, coarse, chips[held_out])
        assert found.max() < 0.12
        assert 0.005 < np.median(found) < 0.08


def test_what_is_shipped_costs_what_it_says(source: GraphSource, chips: dict[str, Chips]) -> None:
    recipe = load_recipe()
    found = distances(source.load(1), source.load_int8(1, recipe), np.concatenate(list(chips.values())))
    assert np.median(found) < 1.5 * recipe.error.median
    assert found.max() < 1.2 * recipe.error.most
    assert recipe.error.chips > 500


def test_who_is_who_stays_so(models: ModelFiles, source: GraphSource, chips: dict[str, Chips], tmp_path: Path) -> None:
    embedder = DlibEmbedder(models.weights, tmp_path, "int8")
    vectors = {person: embedder.embed(each[::2]) for person, each in chips.items()}
    same = np.linalg.norm(vectors["obama"][:, None] - vectors["obama"][None], axis=2)
    other = np.linalg.norm(vectors["obama"][:, None] - vectors["biden"][None], axis=2)
    assert same.max() < 0.6 < other.min()


def test_it_is_made_once_and_then_kept(
    source: GraphSource, models: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = DlibEmbedder(models.weights, tmp_path, "int8")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"{source.sha256}-v1-{load_recipe().version}.onnx", f"{source.sha256}-v1.onnx"]
    monkeypatch.setattr(graph_cache, "quantize_graph", lambda *_: pytest.fail("made although it is kept"))
    again = DlibEmbedder(models.weights, tmp_path, "int8")
    assert again.fingerprint == made.fingerprint


def test_its_templates_are_another_models(models: ModelFiles, tmp_path: Path) -> None:
    exact, coarse = (DlibEmbedder(models.weights, tmp_path, precision) for precision in ("fp32", "int8"))
    assert exact.fingerprint != coarse.fingerprint
    assert coarse.fingerprint.startswith(f"{exact.fingerprint}-int8-")
    assert exact.int8_error is None
    assert coarse.int8_error == load_recipe().error


def test_a_recipe_of_other_weights_or_another_graph_is_refused(source: GraphSource) -> None:
    recipe = load_recipe()
    for wrong in (replace(recipe, weights_sha256="0" * 64), replace(recipe, graph_version=9)):
        with pytest.raises(ForeignModelError, match=r"int8_ranges\.json.*fp32"):
            source.load_int8(1, wrong)
    some = dict(list(recipe.ranges.items())[:3])
    with pytest.raises(ForeignModelError, match="lacks the ranges of 84 tensors"):
        quantize_graph(source.load(1), some)


def test_other_ranges_are_another_version() -> None:
    recipe = load_recipe()
    changed = {**recipe.ranges, "v2": (-1.0, 1.0)}
    assert replace(recipe, ranges=changed).version != recipe.version
    assert replace(recipe, error=replace(recipe.error, most=9.0)).version == recipe.version


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"ranges": {"v0": 3}})])
def test_a_damaged_recipe_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "ranges.json").write_text(text)
    with pytest.raises(ForeignModelError, match=r"ranges\.json: holds no ranges"):
        load_recipe(tmp_path / "ranges.json")
    with pytest.raises(ForeignModelError, match="holds no ranges"):
        load_recipe(tmp_path / "none.json")


def test_ranges_of_another_graph_of_the_same_weights_say_which() -> None:
    recipe = load_recipe()
    with pytest.raises(ForeignModelError, match=r"graph 1, not of .*, graph 2"):
        recipe.require(recipe.weights_sha256, 2)
