"""Loaded once by the server that children are forked from, and imported by nothing else."""

from __future__ import annotations

import signal

import dashboard.worker.tasks  # noqa: F401

# Whoever ends the service with all its processes means the worker, which then ends its children.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
