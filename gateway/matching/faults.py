"""What the matching room refuses, by kind."""

from gateway.errors import PermanentError


class ModelFileError(PermanentError):
    """A model file cannot be used."""


class TruncatedModelError(ModelFileError):
    """A model file ends before its last record does."""


class ForeignModelError(ModelFileError):
    """A model file is of another kind or version than the one expected."""


class MissingLibraryError(PermanentError):
    """A library that the chosen detector or aligner needs is not installed."""


class GalleryError(PermanentError):
    """A gallery's rows, its bytes or a probe do not fit together."""


class BadImageError(PermanentError):
    """An image or a face chip has another shape or type than asked for."""


class NoVectorError(PermanentError):
    """A face network gave no vector for a face: NaN, infinity or nothing but zeros."""


class CalibrationError(PermanentError):
    """Counts that no error rate can be told from."""
