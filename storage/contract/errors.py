"""The errors of a store, each with a sentence that people can read."""

from engines.errors import InputError, MessageError


class NotFoundError(MessageError, LookupError):
    """There is no such thing in this workspace."""


class LostError(MessageError, ValueError):
    """A job is not, or no longer, the caller's to work on: it is finished, cancelled or another worker's."""


class ChangedError(MessageError, RuntimeError):
    """Someone else has changed it in the meantime; the message says how it stands now."""


class PublishedError(InputError):
    """It holds the published run of a data set, which is deleted only once another run is published."""


class StoreError(MessageError, RuntimeError):
    """The database or object store cannot be used; the message names it (without password or key) and the remedy."""
