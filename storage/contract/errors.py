"""The errors of a store, each with a sentence that people can read."""


class NotFoundError(LookupError):
    """There is no such thing in this workspace."""


class LostError(ValueError):
    """A job is not, or no longer, the caller's to work on: it is finished, cancelled or another worker's."""


class ChangedError(RuntimeError):
    """Someone else has changed it in the meantime; the message says how it stands now."""


class StoreError(RuntimeError):
    """The database cannot be used; the message names it (without its password) and the remedy."""
