"""What a run directory keeps of the run's origin: its environments, the study's file, changes without a commit."""

from dataclasses import dataclass
from pathlib import Path

from medcls.tracking.run_dir import ENVIRONMENT, STUDY_FILE, UNCOMMITTED, RunDir
from medcls.utils.environment import Environment
from medcls.utils.files import write_atomically, write_json
from medcls.utils.provenance import UserCode
from medcls.utils.typed_json import as_plain, from_json


@dataclass(frozen=True)
class TrainedIn:
    """The environments in which a run's epochs were trained.

    Attributes:
        environments: in the order of their first use; more than one where the run was resumed in another, or begun
            with the epochs of a run that was trained in another.
    """

    environments: tuple[Environment, ...] = ()


def note_environment(run_dir: RunDir, environment: Environment) -> None:
    """Note that a run is trained in an environment, unless that is noted already.

    Args:
        run_dir: of the run.
        environment: of this process.
    """
    known = environments(run_dir)
    donor = run_dir.description().shared_from
    if not known and donor is not None:
        known = environments(RunDir(run_dir.path.parent / donor))
    if known[-1:] == (environment,):
        known = known[:-1]
    write_json(run_dir.path / ENVIRONMENT, as_plain(TrainedIn((*known, environment))))


def environments(run_dir: RunDir) -> tuple[Environment, ...]:
    """Return the environments in which a run was trained, the latest last; none where the record is old or damaged."""
    try:
        return from_json(TrainedIn, (run_dir.path / ENVIRONMENT).read_bytes()).environments
    except (OSError, ValueError):
        return ()


def tags(run_dir: RunDir) -> dict[str, str]:
    """Return what MLflow's tags say of the environment in which a run was trained last."""
    known = environments(run_dir)
    if not known:
        return {}
    return {"medcls.trained_with": known[-1].software, "medcls.trained_on": known[-1].machine}


def keep_code(run_dir: RunDir, code: UserCode) -> None:
    """Keep the study's file, and what the user's code has that its commit lacks, in a run directory.

    Args:
        run_dir: of a run that begins.
        code: of the study; empty texts are not written.
    """
    for name, text in ((STUDY_FILE, code.text), (UNCOMMITTED, code.diff)):
        if text:
            _write(run_dir.path / name, text)


def kept_code(run_dir: RunDir) -> list[Path]:
    """Return the files that `keep_code` has written."""
    return [run_dir.path / name for name in (STUDY_FILE, UNCOMMITTED) if (run_dir.path / name).is_file()]


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode(errors="replace")))
