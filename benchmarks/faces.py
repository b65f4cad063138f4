"""Measures our face network and detector beside face_recognition's: vectors, milliseconds a face, and the ratios.

Run:  .venv/bin/python benchmarks/faces.py [--quick] [--json]

One thread each, CPU time of this process, medians of interleaved rounds: ours and the peer's are measured in turn, so
that a busy machine burdens both.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from gateway.matching import Detection, DlibEmbedder, FivePointAligner, YuNetDetector, installed_models
from gateway.matching.aligner import box_around
from gateway.matching.inference import open_session

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "pkg_resources is deprecated as an API")
    import face_recognition

Image = NDArray[np.uint8]

_REPOSITORY = Path(__file__).parents[1]
_MODEL = Path(os.environ.get("GATEWAY_TEST_MODELS", _REPOSITORY.parent / "shared" / "models")) / "yunet_n_dynamic.onnx"
_PORTRAITS = Path(os.environ.get("GATEWAY_TEST_PORTRAITS", _REPOSITORY / "fixtures" / "build" / "portraits"))
_BATCH = 16


_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def on_one_thread() -> None:
    """Start this script anew with one thread for every library: they read the limit when they are loaded."""
    if any(os.environ.get(name) != value for name, value in _ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **_ONE_THREAD})  # noqa: S606 - itself


def read_portraits() -> dict[str, Image]:
    """The portraits that the recipe in fixtures/ builds, in RGB; empty where it has not run."""
    found = {path.stem: cv2.imread(str(path)) for path in sorted(_PORTRAITS.glob("*.jpg"))}
    return {name: np.ascontiguousarray(bgr[:, :, ::-1], np.uint8) for name, bgr in found.items() if bgr is not None}


def interleaved(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU milliseconds of each job, all run in turn, after one run that is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + 1):
        for name, job in jobs.items():
            start = time.process_time()
            job()
            if number:
                taken[name].append((time.process_time() - start) * 1e3)
    return {name: statistics.median(times) for name, times in taken.items()}


def faces_of(portraits: dict[str, Image]) -> list[tuple[Image, tuple[int, int, int, int]]]:
    """Pictures with the place of their face (top, right, bottom, left), at several sizes; portraits or noise."""
    if not portraits:
        noise = np.random.default_rng(1).integers(0, 256, (_BATCH, 200, 200, 3), dtype=np.uint8)
        return [(picture, (40, 160, 160, 40)) for picture in noise]
    faces = []
    for picture in portraits.values():
        for side in (800, 500, 320, 200):
            small = resized(picture, side / max(picture.shape))
            located = face_recognition.face_locations(small, 1)
            faces += [(small, place) for place in located[:1]]
    return faces


def resized(picture: Image, factor: float) -> Image:
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def cosines(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return np.asarray((ours * theirs).sum(axis=1) / lengths)


def measure_embedding(portraits: dict[str, Image], rounds: int, cache: Path, peers_batch: int) -> dict[str, Any]:
    """Our network beside dlib's on the same chips, and beside the whole of face_encodings (one face at a time).

    The peer's batches are of `peers_batch` chips, ours of 16.
    """
    files = installed_models()
    embedder = DlibEmbedder(files.weights, cache)
    net = dlib.face_recognition_model_v1(str(files.weights))
    predict = dlib.shape_predictor(str(files.predictor))
    faces = faces_of(portraits)
    shapes = [predict(picture, dlib.rectangle(p[3], p[0], p[1], p[2])) for picture, p in faces]
    chips = np.stack([dlib.get_face_chip(face[0], shape, 150, 0.25) for face, shape in zip(faces, shapes, strict=True)])
    ours = embedder.embed(chips).astype(np.float64)
    theirs = np.array([net.compute_face_descriptor(chip) for chip in chips])
    encoded = np.array([face_recognition.face_encodings(picture, [place])[0] for picture, place in faces])
    sixteen = np.resize(chips, (_BATCH, 150, 150, 3))
    picture, place = faces[0]
    times = interleaved(
        {
            "ours_batch_1": lambda: embedder.embed(chips[:1]),
            "ours_batch_16": lambda: embedder.embed(sixteen),
            "dlib_net_batch_1": lambda: net.compute_face_descriptor(chips[0]),
            "dlib_net_batched": lambda: net.compute_face_descriptor(list(sixteen[:peers_batch])),
            "face_encodings": lambda: face_recognition.face_encodings(picture, [place]),
        },
        rounds,
    )
    times["ours_batch_16"] /= _BATCH
    times["dlib_net_batched"] /= peers_batch
    return {
        "chips": len(chips),
        "identities": "portraits of 3 people" if portraits else "noise: the portraits are not built",
        "dlib_version": dlib.__version__,
        "dlib_use_blas": bool(dlib.DLIB_USE_BLAS),
        "cosine_min": float(cosines(ours, theirs).min()),
        "cosine_min_to_face_encodings": float(cosines(ours, encoded).min()),
        "largest_difference": float(np.abs(ours - theirs).max()),
        "dlib_net_batch": peers_batch,
        "ms_per_face": {name: round(value, 3) for name, value in times.items()},
        "ratio_to_dlib_net_batch_1": times["dlib_net_batch_1"] / times["ours_batch_1"],
        "ratio_to_dlib_net_batched": times["dlib_net_batched"] / times["ours_batch_16"],
        "ratio_to_face_encodings_batch_1": times["face_encodings"] / times["ours_batch_1"],
        "ratio_to_face_encodings_batch_16": times["face_encodings"] / times["ours_batch_16"],
        "chain": measure_chain(portraits, embedder, rounds),
    }


def measure_chain(portraits: dict[str, Image], embedder: DlibEmbedder, rounds: int) -> dict[str, Any]:
    """Landmarks, chip and network together, ours beside face_encodings, on one picture and place."""
    aligner = FivePointAligner(installed_models().predictor)
    picture, (top, right, bottom, left) = faces_of(portraits)[0]
    face = Detection(*box_around((left, top, right, bottom), 0.75), score=1.0)

    def ours() -> NDArray[np.float32]:
        chip = aligner.align(picture, face)
        assert chip is not None
        return embedder.embed(chip[None])

    def theirs() -> Any:
        return face_recognition.face_encodings(picture, [(top, right, bottom, left)])

    times = interleaved({"ours": ours, "face_encodings": theirs}, rounds)
    cosine = cosines(ours().astype(np.float64), np.array(theirs()))[0]
    return {
        "ms_per_face": {name: round(value, 3) for name, value in times.items()},
        "ratio": times["face_encodings"] / times["ours"],
        "cosine": float(cosine),
    }


def scene(portraits: dict[str, Image], width: int, height: int, face_px: int, finder: YuNetDetector) -> Image:
    """A frame with each portrait once, its face about `face_px` high."""
    rng = np.random.default_rng(2)
    coarse = rng.integers(60, 200, (9, 16, 3), dtype=np.uint8)
    frame = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    for index, picture in enumerate(portraits.values()):
        face = finder.detect(picture)[0]
        top, left = max(0, int(face.y - face.height / 2)), max(0, int(face.x - face.width / 2))
        cut = picture[top : int(face.y + 1.4 * face.height), left : int(face.x + 1.5 * face.width)]
        small = resized(np.ascontiguousarray(cut), face_px / face.height)
        x, y = 20 + index * (width - 40) // max(1, len(portraits)), 20 + (index % 2) * (height // 2)
        frame[y : y + small.shape[0], x : x + small.shape[1]] = small
    return frame


def measure_detection(portraits: dict[str, Image], rounds: int) -> list[dict[str, Any]]:
    """YuNet on the half-size frame beside HOG upsampled once on the whole: both reach faces of 40 px."""
    finder = YuNetDetector(_MODEL)
    rows = []
    for width, height in ((640, 360), (1280, 720)):
        half = YuNetDetector(_MODEL, longest_side=width // 2)
        frame = scene(portraits, width, height, 40, finder)
        jobs: dict[str, Callable[[], Sequence[object]]] = {
            "yunet_half_size": partial(half.detect, frame),
            "face_locations": partial(face_recognition.face_locations, frame, 1),
        }
        times = interleaved(dict(jobs), rounds)
        rows.append(
            {
                "frame": f"{width}x{height}",
                "faces_of_40_px": len(portraits),
                "found": {name: len(job()) for name, job in jobs.items()},
                "ms_per_frame": {name: round(value, 2) for name, value in times.items()},
                "ratio": times["face_locations"] / times["yunet_half_size"],
            }
        )
    return rows


def measure_beside_opencv(portraits: dict[str, Image], rounds: int) -> list[dict[str, Any]]:
    """The same YuNet file in ONNX Runtime with our decoding, and in OpenCV's FaceDetectorYN, on whole frames."""
    finder = YuNetDetector(_MODEL)
    rows = []
    for width, height in ((640, 360), (1280, 720)):
        frame, ours = scene(portraits, width, height, 40, finder), YuNetDetector(_MODEL, longest_side=width)
        theirs = cv2.FaceDetectorYN.create(str(_MODEL), "", (width, height), 0.7, 0.3, 5000)
        bgr = np.ascontiguousarray(frame[:, :, ::-1])
        times = interleaved({"ours": partial(ours.detect, frame), "opencv": partial(theirs.detect, bgr)}, rounds)
        found = theirs.detect(bgr)[1]
        rows.append(
            {
                "frame": f"{width}x{height}",
                "found": {"ours": len(ours.detect(frame)), "opencv": 0 if found is None else len(found)},
                "ms_per_frame": {name: round(value, 2) for name, value in times.items()},
                "ratio": times["opencv"] / times["ours"],
            }
        )
    return rows


def measure_regions(portraits: dict[str, Image], rounds: int) -> list[dict[str, Any]]:
    """What a search of a part of a picture costs: what the plan of regions reckons with."""
    finder = YuNetDetector(_MODEL)
    frame = scene(portraits, 640, 360, 40, finder)
    sides = (96, 160, 224, 320)
    jobs = {f"{side}x{side}": partial(finder.detect, frame[20 : 20 + side, 20 : 20 + side]) for side in sides}
    times = interleaved(dict(jobs), rounds)
    slope, fixed = np.polyfit([side * side for side in sides], list(times.values()), 1)
    return [
        *({"part": name, "ms": round(value, 2)} for name, value in times.items()),
        {"part": "to begin a search", "ms": round(float(fixed), 2)},
        {"part": "a pixel", "ms": round(float(slope), 8)},
    ]


def measure_batches(portraits: dict[str, Image], rounds: int, cache: Path) -> list[dict[str, Any]]:
    """Whether faces or pictures of several cameras are cheaper together: CPU ms of each, alone and in batches."""
    embedder = DlibEmbedder(installed_models().weights, cache)
    chips = np.random.default_rng(3).integers(0, 256, (_BATCH, 150, 150, 3), dtype=np.uint8)
    network = open_session(_MODEL.read_bytes(), _MODEL.name)
    pictures = np.random.default_rng(4).integers(0, 256, (4, 3, 288, 480)).astype(np.float32)
    jobs: dict[str, tuple[int, Callable[[], object]]] = {
        f"embedding, {count} together": (count, partial(embedder.embed, chips[:count])) for count in (1, 2, 4, 16)
    }
    for count in (1, 2, 4):
        jobs[f"480 px pictures, {count} together"] = (count, partial(network.run, None, {"input": pictures[:count]}))
    times = interleaved({name: job for name, (_, job) in jobs.items()}, rounds)
    return [{"job": name, "ms_each": round(times[name] / count, 2)} for name, (count, _) in jobs.items()]


def measure(quick: bool) -> dict[str, Any]:
    """Both measurements; the detector's is left out, with the reason, where its model file is missing."""
    cv2.setNumThreads(1)
    portraits = read_portraits()
    with tempfile.TemporaryDirectory() as cache:
        rounds, peers_batch = (7, 4) if quick else (21, _BATCH)
        embedding = measure_embedding(portraits, rounds, Path(cache), peers_batch)
        result: dict[str, Any] = {"embedding": embedding}
        if _MODEL.is_file():
            rounds = 5 if quick else 15
            result["detection"] = measure_detection(portraits, rounds)
            result["beside_opencv"] = measure_beside_opencv(portraits, rounds)
            result["regions"] = measure_regions(portraits, rounds)
            result["batches"] = measure_batches(portraits, rounds, Path(cache))
    if not _MODEL.is_file():
        result["detection_skipped"] = f"{_MODEL.name} is not in ../shared/models (or GATEWAY_TEST_MODELS)"
    return result


def show(result: dict[str, Any]) -> None:
    """Print the measurements for people."""
    e = result["embedding"]
    ms = e["ms_per_face"]
    print(f"chips: {e['chips']} ({e['identities']}); dlib {e['dlib_version']}, DLIB_USE_BLAS = {e['dlib_use_blas']}")
    if not e["dlib_use_blas"]:
        print("  (a dlib built with BLAS is about five times as fast as this one: the ratios are to this one)")
    print(
        f"cosine, ours to dlib on the same chips: at least {e['cosine_min']:.9f}, "
        f"largest difference {e['largest_difference']:.1e}"
    )
    print(f"cosine, ours to face_encodings:         at least {e['cosine_min_to_face_encodings']:.9f}")
    print(f"{'CPU ms a face, one thread':34}{'batch 1':>10}{'batch 16':>10}")
    print(f"{'ours':34}{ms['ours_batch_1']:10.2f}{ms['ours_batch_16']:10.2f}")
    print(f"{'dlib, network alone':34}{ms['dlib_net_batch_1']:10.2f}{ms['dlib_net_batched']:10.2f}")
    if e["dlib_net_batch"] != _BATCH:
        print(f"  (dlib's batches are of {e['dlib_net_batch']} chips here)")
    print(f"{'ratio':34}{e['ratio_to_dlib_net_batch_1']:10.1f}{e['ratio_to_dlib_net_batched']:10.1f}")
    print(f"{'face_encodings, landmarks too':34}{ms['face_encodings']:10.2f}{ms['face_encodings']:10.2f}")
    print(f"{'ratio':34}{e['ratio_to_face_encodings_batch_1']:10.1f}{e['ratio_to_face_encodings_batch_16']:10.1f}")
    chain = e["chain"]
    print(
        f"landmarks, chip and network: ours {chain['ms_per_face']['ours']:.2f}, face_encodings "
        f"{chain['ms_per_face']['face_encodings']:.2f}, ratio {chain['ratio']:.1f}, cosine {chain['cosine']:.6f}"
    )
    for row in result.get("detection", []):
        times, found = row["ms_per_frame"], row["found"]
        print(
            f"detection {row['frame']}, {row['faces_of_40_px']} faces of 40 px: YuNet on the half-size frame "
            f"{times['yunet_half_size']:.1f} ms ({found['yunet_half_size']} found), face_locations upsampled once "
            f"{times['face_locations']:.1f} ms ({found['face_locations']} found), ratio {row['ratio']:.1f}"
        )
    for row in result.get("beside_opencv", []):
        times, found = row["ms_per_frame"], row["found"]
        print(
            f"YuNet {row['frame']}: ours {times['ours']:.1f} ms ({found['ours']} found), "
            f"OpenCV {times['opencv']:.1f} ms ({found['opencv']} found), ratio {row['ratio']:.1f}"
        )
    for row in result.get("regions", []):
        print(f"search of a part, {row['part']:20} {row['ms']:g} ms")
    for row in result.get("batches", []):
        print(f"{row['job']:34}{row['ms_each']:10.2f} ms each")
    if "detection_skipped" in result:
        print(f"detection not measured: {result['detection_skipped']}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under 50 s")
    options = parser.parse_args()
    on_one_thread()
    result = measure(options.quick)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)


if __name__ == "__main__":
    main()
