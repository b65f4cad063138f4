"""Finding ONVIF cameras: WS-Discovery by multicast on each interface, and by address within the site's networks."""

from gateway.cameras.discovery.announcements import AnnouncementListener
from gateway.cameras.discovery.messages import Announcement, read_announcements
from gateway.cameras.discovery.search import FoundCamera, Search

__all__ = ["Announcement", "AnnouncementListener", "FoundCamera", "Search", "read_announcements"]
