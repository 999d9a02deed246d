"""Default paths of results, unless a flag or an environment variable names others."""

import hashlib
import os
import tempfile
from pathlib import Path

from medcls.utils import store_uris
from medcls.utils.files import user_cache
from medcls.utils.installation import checkout


def root() -> Path:
    """Return the directory of results: the checkout that medcls is installed from, else the working directory."""
    return checkout() or Path.cwd()


def default_tracking_uri() -> str:
    """Return the URI of the store in MLFLOW_TRACKING_URI, else of mlflow.db in the root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or store_uris.of_file(root() / "mlflow.db")


def default_work_dir() -> Path:
    """Return the work directory that is used unless --work-dir names another."""
    return (root() / "mlruns" / "runs").absolute()


def tracking_uri(given: str | None) -> str:
    """Return the URI of the store that --tracking-uri names, else of the default store.

    Raises:
        BadInputError: the URI is empty, or may mean a file other than the one it seems to name.
    """
    return store_uris.meant(default_tracking_uri() if given is None else given)


def home_of(url: str, use: str = "") -> Path:
    """Return the directory on this machine for files that belong to a URL; another `use` has another directory."""
    cache = user_cache() or Path(tempfile.gettempdir()) / "medcls"
    return cache / "elsewhere" / (hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16] + use)
