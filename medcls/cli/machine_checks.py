"""The checks of `medcls doctor`: versions, cores, memory, GPU, store, disk space, pretrained weights, data sets."""

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
from typing import TYPE_CHECKING

from medcls.data.phantoms import PHANTOMS
from medcls.data.resolve import VARIABLE, homes, located
from medcls.execution.executors.local import available_cores
from medcls.models.backbones import imagenet_file
from medcls.tracking.mlflow_client import experiments
from medcls.tracking.store_errors import sentence
from medcls.utils import store_uris
from medcls.utils.installation import pip_install
from medcls.utils.lazy import packaging, psutil
from medcls.utils.redaction import without_secrets
from medcls.utils.version import __version__

if TYPE_CHECKING:
    from packaging.requirements import Requirement

DISK = 5.0  # gigabytes: the caches and checkpoints of the laboratory course
MEMORY = 4.0  # gigabytes: two runs of VGG16
EXTRA = re.compile(r"extra == ['\"](\w+)['\"]")
GPUS = "import tensorflow as t; print(*(device.name for device in t.config.list_physical_devices('GPU')))"


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Attributes:
        name: what was checked.
        finding: what was found.
        ok: whether a study can work with it.
        remedy: what to do otherwise.
    """

    name: str
    finding: str
    ok: bool = True
    remedy: str = ""


def check_machine(uri: str, work: Path) -> Iterator[Check]:
    """Yield the outcome of each check; nothing is changed, and no network is needed.

    Args:
        uri: the URI of the MLflow store.
        work: the work directory.
    """
    tensorflow = _begin_to_import_tensorflow()  # takes the longest, on another core than the other checks
    yield _python()
    yield _packages()
    yield from _extras()
    yield Check("cores", f"{available_cores()} of {os.cpu_count()}")
    yield _memory()
    yield _store(uri)
    yield _work_directory(work)
    yield _weights()
    yield _data()
    yield _gpu(tensorflow)


def _python() -> Check:
    version = platform.python_version()
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check("Python", f"{version}, medcls {__version__}", ok, "create an environment of Python 3.11 to 3.13")


def _requirements() -> Iterator[tuple[str, str]]:
    """Yield a pair for each package that medcls requires: the extra that requires it ("" for none), and its fault."""
    for line in metadata.requires("medcls") or []:
        requirement = packaging.requirements.Requirement(line)
        match = EXTRA.search(line)
        extra = match.group(1) if match else ""
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield extra, _fault(requirement)
            for further in _required_by_extras(requirement):
                yield extra, _fault(further)


def _required_by_extras(requirement: "Requirement") -> "Iterator[Requirement]":
    """Yield what the extras of a required package require, such as those of tensorflow[and-cuda]."""
    if not requirement.extras or _fault(requirement):
        return
    for line in metadata.requires(requirement.name) or []:
        further = packaging.requirements.Requirement(line)
        if further.marker is None or further.marker.evaluate({"extra": ""}):
            continue  # required without any extra
        if any(further.marker.evaluate({"extra": extra}) for extra in requirement.extras):
            yield further


def _fault(requirement: "Requirement") -> str:
    """Return why the installed package does not meet a requirement, "" if it does."""
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return f"{requirement.name} is {version}, not {requirement.specifier}"


def _packages() -> Check:
    faults = [fault for extra, fault in _requirements() if not extra and fault]
    remedy = pip_install(tested=True)
    if faults:
        return Check("packages", "; ".join(faults), False, remedy)
    versions = [f"{name} {metadata.version(name)}" for name in ("tensorflow", "keras", "mlflow", "optuna")]
    return Check("packages", ", ".join(versions))


def _extras() -> Iterator[Check]:
    faulty: dict[str, bool] = {}
    for extra, fault in _requirements():
        if extra not in ("", "test"):
            faulty[extra] = faulty.get(extra, False) or bool(fault)
    for extra in sorted(faulty):
        finding = f"not installed ({pip_install(extra)})" if faulty[extra] else "installed"
        yield Check(f"extra {extra}", finding)


def _memory() -> Check:
    free = psutil.virtual_memory().available / 2**30
    return Check("memory", f"{free:.1f} GB free", free >= MEMORY, "close other programs, or run with --workers 1")


def _begin_to_import_tensorflow() -> "subprocess.Popen[str] | None":
    """Start a process that prints the GPUs that TensorFlow sees; None without TensorFlow.

    It is a process of its own because TensorFlow prints a greeting, and occupies the GPU's memory.
    """
    if importlib.util.find_spec("tensorflow") is None:
        return None
    environment, pipe = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", GPUS], env=environment, stdout=pipe, stderr=pipe, text=True)


def _gpu(process: "subprocess.Popen[str] | None") -> Check:
    """Return whether the process could import TensorFlow, and which GPUs that sees."""
    if process is None:
        return Check("GPU", "unknown without TensorFlow")
    output, errors = process.communicate()
    if process.returncode:
        lines = errors.strip().splitlines() or [f"exit code {process.returncode}"]
        return Check("TensorFlow", f"cannot be imported: {lines[-1]}", ok=False, remedy="reinstall it")
    names = output.strip()
    if not names and shutil.which("nvidia-smi"):
        return Check("GPU", "present, but TensorFlow does not see it", False, pip_install("gpu"))
    return Check("GPU", names or "none: everything runs on the CPU")


def _store(uri: str) -> Check:
    shown, file = without_secrets(uri), store_uris.file(uri)
    if file is not None and not file.exists():
        return Check("store", f"{shown}, does not exist yet: the first study creates it")
    try:
        count = experiments(uri)
    except Exception as error:  # noqa: BLE001 - whatever the store says is the finding
        remedy = "start the server, or name another store with --tracking-uri"
        return Check("store", f"{shown} cannot be read: {sentence(error, uri)}", ok=False, remedy=remedy)
    return Check("store", f"{shown}, {count} experiments")


def _work_directory(work: Path) -> Check:
    existing = next(directory for directory in (work, *work.parents) if directory.exists())
    if not os.access(existing, os.W_OK):
        return Check("work directory", f"{work} cannot be written to", False, "name another one with --work-dir")
    free = shutil.disk_usage(existing).free / 2**30
    remedy = "free some space, or name a directory on another disk with --work-dir"
    return Check("work directory", f"{work}, {free:.1f} GB free", free >= DISK, remedy)


def _weights() -> Check:
    files = {"VGG16": imagenet_file("vgg16", 1.0, ""), "VGG19 with its top": imagenet_file("vgg19", 1.0, "fc1")}
    findings = []
    for name, file in files.items():
        findings.append(f"{name} {'downloaded' if file.exists() else 'will be downloaded at first use'}")
    return Check("ImageNet weights", ", ".join(findings))


def _data() -> Check:
    names = [name for name in [*PHANTOMS, "mnist"] if located(name) is not None]
    directories = ", ".join(map(str, homes())) or f"no home directory and no {VARIABLE}"
    return Check("data sets", f"{', '.join(names) or 'phantoms only'} (looked for in {directories})")
