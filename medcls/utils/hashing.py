"""Short hashes of JSON values."""

import hashlib
import json
from typing import Any


def digest(value: Any) -> str:
    """Return 20 hex digits of the SHA-256 of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
