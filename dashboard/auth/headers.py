"""Security headers of every answer, and the content security policy of pages."""

from __future__ import annotations

from collections.abc import Sequence


def content_security_policy(script_hashes: Sequence[str] = ()) -> str:
    """What a page may load: its own files and the inline scripts with these hashes, nothing from elsewhere.

    Inline styles are allowed because charts and tables place their parts with them.
    """
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *script_hashes]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def security_headers(policy: str) -> list[tuple[bytes, bytes]]:
    """The headers of every answer, as ASGI has them; ``policy`` is its content security policy."""
    values = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }
    return [(name.encode(), value.encode()) for name, value in values.items()]
