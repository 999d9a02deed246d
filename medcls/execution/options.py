"""What a study's flags say, as one value."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What the command line says, read once; nothing here is study-specific."""

    data: dict[str, str]
    settings: dict[str, str]
    weights: str | None
    only: tuple[str, ...]
    seeds: tuple[int, ...] | None
    folds: int | None
    vary_split: bool
    split_seed: int
    until_decided: int | None
    workers: int | None
    threads: int | None
    tracking_uri: str
    work_dir: Path
    work_url: str
    smoke: bool
    plan: bool
    force: bool
    keep: bool
    promote: bool
    loudness: int
    executor: str
    skip_bad_files: bool
    refuse_leaks: bool
    fix_leaks: bool
    offline: bool
    wait: bool
    json: Path | None
    trials: int | None
    timeout: float | None
    storage: str | None
