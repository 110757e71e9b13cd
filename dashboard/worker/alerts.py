"""Sends alerts on to where people see them: a short signed message to a webhook, tried again until it arrives."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta
from http.client import HTTPException
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from dashboard.config import Config
from engines.errors import InputError
from storage import Store
from storage.contract import LostError, NotFoundError
from storage.contract.jobs import DELIVERY
from storage.contract.watch import Alert

URL_VARIABLE, SECRET_VARIABLE = "SEGMENTRY_WEBHOOK_URL", "SEGMENTRY_WEBHOOK_SECRET"
TIMESTAMP_HEADER, SIGNATURE_HEADER = "X-Segmentry-Timestamp", "X-Segmentry-Signature"

#: An alert that is older when a webhook is first set up is not sent any more.
FRESH = timedelta(days=1)
_LONGEST_WAIT = 6 * 3600.0
_MARGIN_SECONDS = 30.0  # a lease outlasts the receiver's time by so much, so that no other worker sends the same


def webhook(environ: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
    """The address and the secret of the webhook; None where none is set.

    Raises:
        InputError: the address is not one of HTTP.
    """
    url = environ.get(URL_VARIABLE, "").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            "{url_variable} must be an address that starts with https:// or http://.", url_variable=URL_VARIABLE
        )
    return url, environ.get(SECRET_VARIABLE, "")


def payload(alert: Alert) -> dict[str, Any]:
    """What is sent: ``text`` is what Slack and its like show, the rest is for programs."""
    against = "the model of the run before" if alert.kind == "live" else "the model frozen at the start"
    noise = "" if alert.noise_low is None else f", where chance alone reaches down to {alert.noise_low:.2f}"
    if alert.cause == "population":
        what = (
            "The customers buy much otherwise than when the model was frozen, so its segments may no longer suit them."
        )
    else:
        what = f"A refit agrees with {against} only to an adjusted Rand index of {alert.ari:.2f}{noise}."
    text = (
        f"Drift alert: {alert.dataset}, {alert.engine}, {alert.as_of}. {what} See the Drift page of run {alert.run_id}."
    )
    facts = {
        "alert": alert.id,
        "run": alert.run_id,
        "dataset": alert.dataset,
        "engine": alert.engine,
        "kind": alert.kind,
        "as_of": alert.as_of.isoformat(),
        "ari": alert.ari,
        "noise_low": alert.noise_low,
        "cause": alert.cause,
    }
    return {"text": text, "segmentry": facts}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """``sha256=`` and the HMAC-SHA256, in hexadecimal, of the timestamp, a full stop and the body."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"


def send_due(
    config: Config,
    store: Store,
    now: datetime,
    environ: Mapping[str, str] = os.environ,
    *,
    worker: str | None = None,
) -> Alert | None:
    """Send the alert that is due, if any, and write down how it went; None where there was nothing to send.

    A message that is not taken is tried again after ``alerts.wait_seconds``, each time twice as long as before, and
    given up after ``alerts.attempts`` tries.
    """
    try:
        target = webhook(environ)
    except InputError as problem:
        target, refused = ("", ""), str(problem)
    else:
        refused = ""
    if target is None:
        return None
    limits = config.alerts
    lease = limits.timeout_seconds + _MARGIN_SECONDS
    job = store.claim_job([DELIVERY], lease_seconds=lease, worker=worker, since=now - FRESH)
    if job is None or job.subject is None:
        return None
    try:
        alert = store.alert(job.subject)
        error = refused or _posted(*target, payload(alert), now, limits.timeout_seconds)
        if error is None:
            store.finish_job(job.id, worker)
        elif job.attempts < limits.attempts:
            wait = min(_LONGEST_WAIT, limits.wait_seconds * 2 ** (job.attempts - 1))
            store.release_job(job.id, worker, reason=error, delay_seconds=wait)
        else:
            store.fail_job(job.id, worker, error)
        return store.alert(alert.id)
    except (LostError, NotFoundError):  # taken over while this machine slept, or deleted with its run
        return None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A signed message goes to the address it is meant for and nowhere else."""

    def redirect_request(self, *args: Any, **more: Any) -> None:
        return None


def _posted(url: str, secret: str, content: Mapping[str, Any], now: datetime, timeout: float) -> str | None:
    """None where the receiver took it in time, else what went wrong, without the address, which is a secret."""
    body = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    timestamp = str(int(now.timestamp()))
    headers = {"Content-Type": "application/json; charset=utf-8", TIMESTAMP_HEADER: timestamp}
    if secret:
        headers[SIGNATURE_HEADER] = signature(secret, timestamp, body)
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - checked above
    outcome: SimpleQueue[str | None] = SimpleQueue()
    # In a thread, as a socket's own timeout bounds each read, and not the time that a slow receiver needs in all.
    threading.Thread(target=lambda: outcome.put(_sent(request, timeout)), name="delivery", daemon=True).start()
    try:
        return outcome.get(timeout=timeout)
    except Empty:
        return f"The receiver could not be reached ({TimeoutError.__name__})."


def _sent(request: urllib.request.Request, timeout: float) -> str | None:
    """None where the receiver took it, else what went wrong."""
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=timeout) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        with error:
            return f"The receiver answered {error.code}."
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return f"The receiver could not be reached ({type(reason).__name__})."
    return None
