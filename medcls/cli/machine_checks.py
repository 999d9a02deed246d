"""What this machine has for medcls: versions, cores, a GPU, a store, room, pretrained weights, data sets."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from medcls.data.phantoms import PHANTOMS
from medcls.data.resolve import VARIABLE, homes, located
from medcls.execution.executors.local import available_cores
from medcls.models.backbones import imagenet_file
from medcls.tracking.mlflow_client import experiments, sentence
from medcls.utils import store_uris
from medcls.utils.lazy import packaging, psutil
from medcls.utils.redaction import without_secrets
from medcls.utils.version import __version__

ROOM = 5.0  # gigabytes: the caches and checkpoints of a laboratory


MEMORY = 4.0  # gigabytes: two runs of VGG16


EXTRA = re.compile(r"extra == ['\"](\w+)['\"]")


GPUS = "import tensorflow as t; print(*(each.name for each in t.config.list_physical_devices('GPU')))"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what, what it is, whether it is well, and what to do if it is not."""

    what: str
    found: str
    well: bool = True
    remedy: str = ""


def examine(uri: str, work: Path) -> Iterator[Check]:
    """Yield what is found, one thing after another; changes nothing and needs no network.

    Args:
        uri: of the store.
        work: the work folder.
    """
    yield _python()
    yield _packages()
    yield from _extras()
    yield Check("cores", f"{available_cores()} of {os.cpu_count()}")
    yield _memory()
    yield _gpu()
    yield _store(uri)
    yield _room(work)
    yield _weights()
    yield _data()


def _python() -> Check:
    version = platform.python_version()
    well = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check("Python", f"{version}, medcls {__version__}", well, "make an environment of Python 3.11 to 3.13")


def _needed() -> Iterator[tuple[str, str]]:
    """Yield (extra or "", why a package will not do or "") for all that medcls asks for."""
    for line in metadata.requires("medcls") or []:
        asked = packaging.requirements.Requirement(line)
        extra = EXTRA.search(line)
        name = extra.group(1) if extra else ""
        if asked.marker is None or asked.marker.evaluate({"extra": name}):
            yield name, _fault(asked)
            yield from ((name, _fault(each)) for each in _of_extras(asked))


def _of_extras(asked: Any) -> Iterator[Any]:
    """Yield what a requirement's own extras ask for, as tensorflow[and-cuda] does."""
    for line in metadata.requires(asked.name) or [] if asked.extras and not _fault(asked) else []:
        each = packaging.requirements.Requirement(line)
        if each.marker is None or each.marker.evaluate({"extra": ""}):
            continue  # asked for without any extra
        if any(each.marker.evaluate({"extra": extra}) for extra in asked.extras):
            yield each


def _fault(asked: Any) -> str:
    """Return why what is installed of a package will not do, "" if it will."""
    try:
        version = metadata.version(asked.name)
    except metadata.PackageNotFoundError:
        return f"{asked.name} is missing"
    fits = asked.specifier.contains(version, prereleases=True)
    return "" if fits else f"{asked.name} is {version}, not {asked.specifier}"


def _packages() -> Check:
    wrong = [why for extra, why in _needed() if not extra and why]
    known = ", ".join(f"{name} {metadata.version(name)}" for name in ("tensorflow", "keras", "mlflow", "optuna"))
    remedy = "python -m pip install -c constraints.txt -e ."
    return Check("packages", "; ".join(wrong) or known, not wrong, remedy)


def _extras() -> Iterator[Check]:
    found: dict[str, list[str]] = {}
    for extra, why in _needed():
        if extra not in ("", "test"):
            found.setdefault(extra, []).append(why)
    for extra, reasons in sorted(found.items()):
        missing = [why for why in reasons if why]
        told = "not installed" if missing else "installed"
        yield Check(f"extra {extra}", f'{told} (python -m pip install -e ".[{extra}]")' if missing else told)


def _memory() -> Check:
    free = psutil.virtual_memory().available / 2**30
    return Check("memory", f"{free:.1f} GB free", free >= MEMORY, "close something, or run with --workers 1")


def _gpu() -> Check:
    """Ask TensorFlow in a process of its own: it greets, and takes the GPU's memory."""
    if importlib.util.find_spec("tensorflow") is None:
        return Check("GPU", "unknown without TensorFlow")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    ended = subprocess.run([sys.executable, "-c", GPUS], env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["it died"])[-1]
        return Check("TensorFlow", f"cannot be imported: {last}", well=False, remedy="install it again")
    names = ended.stdout.strip()
    if not names and shutil.which("nvidia-smi"):
        return Check("GPU", "there, but TensorFlow sees none", False, 'python -m pip install -e ".[gpu]"')
    return Check("GPU", names or "none: everything runs on the cores")


def _store(uri: str) -> Check:
    shown, file = without_secrets(uri), store_uris.file(uri)
    if file is not None and not file.exists():
        return Check("store", f"{shown}, not there yet: the first study makes it")
    try:
        count = experiments(uri)
    except Exception as error:  # noqa: BLE001 - whatever the store says is the finding
        remedy = "start the server, or name another store with --tracking-uri"
        return Check("store", f"{shown} cannot be read: {sentence(error, uri)}", well=False, remedy=remedy)
    return Check("store", f"{shown}, {count} experiments")


def _room(work: Path) -> Check:
    there = next(folder for folder in (work, *work.parents) if folder.exists())
    free = shutil.disk_usage(there).free / 2**30
    if not os.access(there, os.W_OK):
        return Check("work folder", f"{work} cannot be written", False, "name another with --work-dir")
    remedy = "free some space, or name a folder on another disk with --work-dir"
    return Check("work folder", f"{work}, {free:.1f} GB free", free >= ROOM, remedy)


def _weights() -> Check:
    wanted = {"VGG16": imagenet_file("vgg16", 1.0, ""), "VGG19 with its top": imagenet_file("vgg19", 1.0, "fc1")}
    told = (f"{name} {'here' if file.exists() else 'to be downloaded at first use'}" for name, file in wanted.items())
    return Check("ImageNet's weights", ", ".join(told))


def _data() -> Check:
    real = [name for name in [*PHANTOMS, "mnist"] if located(name) is not None]
    places = ", ".join(map(str, homes())) or f"no home folder and no {VARIABLE}"
    return Check("data sets", f"{', '.join(real) or 'phantoms alone'} (looked for in {places})")
