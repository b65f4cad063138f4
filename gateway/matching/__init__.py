"""From a picture to a name: detector, tracker, aligner, embedder, gallery and the policy of a decision."""

from gateway.matching.aligner import FaceAligner, FivePointAligner
from gateway.matching.calibration import HIGHEST_THRESHOLD, Calibration, Rate, SiteCounts
from gateway.matching.chip_mean import ChipMean
from gateway.matching.detection import Detection, FaceDetector
from gateway.matching.embedder import DlibEmbedder, FaceEmbedder, compares_directions
from gateway.matching.factory import RULES, SIZES, FaceSize, FactoryModel, Rule
from gateway.matching.faults import (
    BadImageError,
    CalibrationError,
    ForeignModelError,
    GalleryError,
    MissingLibraryError,
    ModelFileError,
    NoVectorError,
    TruncatedModelError,
)
from gateway.matching.gallery import Gallery
from gateway.matching.gallery_compact import CompactGallery
from gateway.matching.gallery_faiss import FaissGallery
from gateway.matching.gallery_layout import Extent
from gateway.matching.gallery_values import (
    Candidate,
    FaceGallery,
    TemplateRow,
    TemplateTable,
    cosine_distance_limit,
    margin,
)
from gateway.matching.gallery_writer import GalleryWriter
from gateway.matching.hog import HogDetector
from gateway.matching.intervals import poisson_at_most
from gateway.matching.looks import Evidence, Look, Opinion, RunningLooks, weigh_looks
from gateway.matching.model_files import ModelFiles, installed_models
from gateway.matching.onnx_embedder import OnnxEmbedder
from gateway.matching.open_detector import OpenedDetector, open_detector
from gateway.matching.pairing import is_near
from gateway.matching.policy import Decision, MatchPolicy, Thresholds, Verdict
from gateway.matching.quality import Complaint, FaceQuality, assess
from gateway.matching.shots import FineView, Pace, Shot
from gateway.matching.tail import BIN, BINS, DistanceCounts
from gateway.matching.template_aligner import TemplateAligner, detected_points
from gateway.matching.tracker import FaceTracker, PassageTimes, Track, TrackRules, TrackUpdate
from gateway.matching.visits import VisitBook
from gateway.matching.yunet import YUNET_SHA256, YuNetDetector

__all__ = [
    "BIN",
    "BINS",
    "HIGHEST_THRESHOLD",
    "RULES",
    "SIZES",
    "YUNET_SHA256",
    "BadImageError",
    "Calibration",
    "CalibrationError",
    "Candidate",
    "ChipMean",
    "CompactGallery",
    "Complaint",
    "Decision",
    "Detection",
    "DistanceCounts",
    "DlibEmbedder",
    "Evidence",
    "Extent",
    "FaceAligner",
    "FaceDetector",
    "FaceEmbedder",
    "FaceGallery",
    "FaceQuality",
    "FaceSize",
    "FaceTracker",
    "FactoryModel",
    "FaissGallery",
    "FineView",
    "FivePointAligner",
    "ForeignModelError",
    "Gallery",
    "GalleryError",
    "GalleryWriter",
    "HogDetector",
    "Look",
    "MatchPolicy",
    "MissingLibraryError",
    "ModelFileError",
    "ModelFiles",
    "NoVectorError",
    "OnnxEmbedder",
    "OpenedDetector",
    "Opinion",
    "Pace",
    "PassageTimes",
    "Rate",
    "Rule",
    "RunningLooks",
    "Shot",
    "SiteCounts",
    "TemplateAligner",
    "TemplateRow",
    "TemplateTable",
    "Thresholds",
    "Track",
    "TrackRules",
    "TrackUpdate",
    "TruncatedModelError",
    "Verdict",
    "VisitBook",
    "YuNetDetector",
    "assess",
    "compares_directions",
    "cosine_distance_limit",
    "detected_points",
    "installed_models",
    "is_near",
    "margin",
    "open_detector",
    "poisson_at_most",
    "weigh_looks",
]
