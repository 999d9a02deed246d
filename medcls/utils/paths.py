"""Where results belong, unless a flag or a variable of the environment says otherwise."""

import hashlib
import os
import tempfile
from pathlib import Path

from medcls.utils import store_uris
from medcls.utils.files import user_cache


def root() -> Path:
    """Return where results belong: the checkout that medcls is installed from, else the working directory."""
    checkout = Path(__file__).resolve().parents[2]
    return checkout if (checkout / "pyproject.toml").exists() else Path.cwd()


def default_tracking_uri() -> str:
    """Return the store that plain `mlflow ui` shows in the root, unless MLFLOW_TRACKING_URI names another."""
    return os.environ.get("MLFLOW_TRACKING_URI") or store_uris.of_file(root() / "mlflow.db")


def tracking_uri(given: str | None) -> str:
    """Return the URI of the store that --tracking-uri names, else the default one's.

    Raises:
        BadInputError: it is empty, or its path means something else in a URI.
    """
    return store_uris.meant(default_tracking_uri() if given is None else given)


def home_of(url: str, use: str = "") -> Path:
    """Return this machine's folder for what belongs behind a URL; other uses have others."""
    cache = user_cache() or Path(tempfile.gettempdir()) / "medcls"
    return cache / "elsewhere" / (hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16] + use)
