"""What can go wrong with the store."""

from gateway.errors import PermanentError, TransientError


class StorageFullError(TransientError):
    """The disk is full and the ballast is used up; nothing was stored."""

    code = "storage_full"


class StorageLockedError(TransientError):
    """A foreign program holds the database's lock; nothing was stored."""


class StorageFailedError(PermanentError):
    """The disk answered with an error: nothing is acknowledged any more until the daemon was started anew."""

    code = "storage_failed"


class StorageDamagedError(StorageFailedError):
    """A file holds what no database can; `where` names it. The next start of the gateway puts it aside."""


class StorageBusyError(PermanentError):
    """Another process has this state folder open."""


class NewerFileError(PermanentError):
    """The file was written by a newer version."""
