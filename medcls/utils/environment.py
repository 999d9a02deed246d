"""The environment of a process that trains: versions, machine, threads, and the settings that change its numbers."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from medcls.utils.lazy import tensorflow
from medcls.utils.typed_json import nothing
from medcls.utils.version import __version__

PACKAGES = ("tensorflow", "keras", "numpy", "h5py", "pillow", "opencv-python-headless", "scikit-learn", "scipy")
SETTINGS = (
    *("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", "TF_DETERMINISTIC_OPS", "TF_XLA_FLAGS", "XLA_FLAGS"),
    *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"),
    *("OPENBLAS_NUM_THREADS", "KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "TF_ENABLE_TENSOR_FLOAT_32_EXECUTION"),
)
"""Environment variables that change what a training computes, or with how many threads."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """With what a run was trained, and on which machine.

    Attributes:
        python: the version of Python.
        system: the operating system.
        processor: the model of the processor.
        cores: how many cores the machine has.
        gpus: the models of the GPUs that TensorFlow saw.
        threads: how many threads one operation of TensorFlow could use.
        parallel_operations: how many operations TensorFlow could carry out at a time.
        versions: package -> its version, medcls first.
        settings: environment variable -> its value, of those that were set.
    """

    python: str = ""
    system: str = ""
    processor: str = ""
    cores: int = 0
    gpus: tuple[str, ...] = ()
    threads: int = 0
    parallel_operations: int = 0
    versions: Mapping[str, str] = field(default_factory=nothing)
    settings: Mapping[str, str] = field(default_factory=nothing)

    @property
    def software(self) -> str:
        """Python and the packages with their versions."""
        return ", ".join([f"Python {self.python}", *(f"{name} {version}" for name, version in self.versions.items())])

    @property
    def machine(self) -> str:
        """The machine and what of it was used, in words."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        gpus = f", {', '.join(self.gpus)}" if self.gpus else ""
        return f"{self.system}, {self.processor}, {self.cores} cores{gpus}; {threads}"


def this_environment() -> Environment:
    """Return the environment of this process, whose TensorFlow has been told its number of threads."""
    threading = tensorflow.config.threading
    versions = {"medcls": __version__}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # another distribution of the same module, such as opencv-python
    return Environment(
        python=platform.python_version(),
        system=platform.platform(),
        processor=_processor(),
        cores=os.cpu_count() or 0,
        gpus=_gpus(),
        threads=threading.get_intra_op_parallelism_threads(),
        parallel_operations=threading.get_inter_op_parallelism_threads(),
        versions=versions,
        settings={name: os.environ[name] for name in SETTINGS if name in os.environ},
    )


def _processor() -> str:
    """Return the model of the processor, as Linux names it, else as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpus() -> tuple[str, ...]:
    config = tensorflow.config
    names = []
    for device in config.list_physical_devices("GPU"):
        names.append(str(config.experimental.get_device_details(device).get("device_name", device.name)))
    return tuple(names)
