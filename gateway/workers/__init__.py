"""The children as the alarm house keeps them: started, watched, restarted, fed and asked; loads none of their code."""

from gateway.workers.budget import RestartBudget
from gateway.workers.feed import GalleryFeed
from gateway.workers.life import LifeRules
from gateway.workers.lone_gallery import LoneGallery
from gateway.workers.outfit import Outfit, Upkeep
from gateway.workers.pictures import NoPictureError
from gateway.workers.ports import RowSource, WorkerPorts
from gateway.workers.process import WorkerProcess, child_environment
from gateway.workers.replies import WorkerAwayError
from gateway.workers.service import Workers
from gateway.workers.states import CameraState, GalleryState, WorkerStage, WorkerState
from gateway.workers.supervisor import WorkerSupervisor
from gateway.workers.turns import take_short_turns

__all__ = [
    "CameraState",
    "GalleryFeed",
    "GalleryState",
    "LifeRules",
    "LoneGallery",
    "NoPictureError",
    "Outfit",
    "RestartBudget",
    "RowSource",
    "Upkeep",
    "WorkerAwayError",
    "WorkerPorts",
    "WorkerProcess",
    "WorkerStage",
    "WorkerState",
    "WorkerSupervisor",
    "Workers",
    "child_environment",
    "take_short_turns",
]
