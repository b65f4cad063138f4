"""The *gallery* child: photos to templates, sealed rows to the shared gallery, and who is near a face."""

from gateway.vision.gallery.keeper import GalleryKeeper
from gateway.vision.gallery.role import GalleryRole

__all__ = ["GalleryKeeper", "GalleryRole"]
