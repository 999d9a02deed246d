"""Saved weights from which the runs of a study start: named by a digest of their values, kept in the work directory."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from medcls.execution.planning.datasets import StudyData
from medcls.spec.search_space import Search
from medcls.spec.variant import Variant
from medcls.tracking.run_dir import saved_weights
from medcls.training import saved_weights as saved
from medcls.training.saved_weights import fitting
from medcls.utils.errors import BadInputError, TrainingError
from medcls.utils.files import read_json, write_atomically, write_json
from medcls.utils.records import read_record
from medcls.utils.redaction import typed

PATH, MODEL = "learner.weights", "learner.model"
RANDOM = "random"
KNOWN = f"give an exported folder, a .keras or .weights.h5 file, or {RANDOM}"


def with_weights(conditions: Sequence[tuple[str, Variant]], given: str | None, work: Path) -> list[tuple[str, Variant]]:
    """Return the variants with the digest of the saved weights that --weights or they themselves name.

    The weights are copied into the work directory, so that runs can resume after their file has been moved or deleted.

    Args:
        conditions: the study's variants with their names.
        given: the value of --weights, None if it is not given.
        work: the work directory.

    Raises:
        BadInputError: no such file, a damaged one, or a study whose variants take no saved weights.
    """
    if given is not None and not any(PATH in variant.parameters() for _, variant in conditions):
        raise BadInputError(f"--weights {given}: the runs of this study do not start from saved weights; leave it out.")
    changed = []
    for name, variant in conditions:
        if PATH not in variant.parameters():
            changed.append((name, variant))
            continue
        weights = str(variant.get(PATH)) if given is None else given
        digest = "" if weights in ("", RANDOM) else kept(weights, work)
        changed.append((name, variant.with_(PATH, digest)))
    return changed


def inherited(search: Search, base: Variant, settings: Mapping[str, str], work: Path) -> dict[str, str]:
    """Return settings that give a search the network whose saved weights it starts from.

    Args:
        search: the search.
        base: the variant that the search starts from.
        settings: dotted path of a parameter -> its text, as --set has them.
        work: the work directory.

    Raises:
        BadInputError: the search varies parameters of the network that are not known of the saved one.
    """
    weights = _weights(base)
    owners = tuple(f"{path}." for path in settings)
    varied = []
    for path in search.space:
        is_of_model = f"{path}.".startswith(f"{MODEL}.")
        if is_of_model and path not in settings and not path.startswith(owners):
            varied.append(path)
    if not weights or not varied:
        return {}
    saved_parameters = _model_record(work, weights).get("parameters", {})
    inherit = {}
    for path in varied:
        if path not in saved_parameters:
            example = typed("--set", f"{path}={base.parameters()[path]}")
            raise BadInputError(
                f"The search varies {', '.join(varied)}, but saved weights fit only one network. "
                f"Set the parameters of that network, e.g. {example}."
            )
        value = saved_parameters[path]
        inherit[path] = value if isinstance(value, str) else json.dumps(value)
    return inherit


def check(
    conditions: Sequence[tuple[str, Variant]],
    sources: StudyData,
    work: Path,
    ask: Callable[..., Any],
    *,
    folds: bool,
) -> list[str]:
    """Check that saved weights fit the networks that start from them; return a sentence for each such variant.

    Args:
        conditions: the study's variants with their names.
        sources: the study's data sets.
        work: the work directory.
        ask: calls a function in a process that may use TensorFlow.
        folds: whether the validation images of some runs are training images of others.

    Raises:
        BadInputError: weights that do not fit their network.
    """
    sentences = []
    for name, variant in conditions:
        weights, bundle = _weights(variant), sources.of(variant).bundle
        if not weights:
            continue
        shape = (bundle.size, bundle.size, bundle.channels)
        try:
            fit = ask(fitting, variant, shape, len(bundle.classes), saved_weights(work, weights))
        except TrainingError:
            continue  # the network cannot be built: its runs will fail and say why
        if fit.misfit:
            raise BadInputError(
                f"The saved weights do not fit the network of {name}: {fit.misfit}. Give both the same network with "
                f"--set {MODEL}..., or choose other variants with --only."
            )
        head = f"; {fit.head}, so this layer starts with random weights" if fit.head else ""
        sentences.append(f"{name} starts from the saved weights {weights[:12]}{head}.")
        if folds and _model_record(work, weights).get("data", {}).get("fingerprint") == bundle.fingerprint:
            sentences.append(
                "These weights were trained on this data set, so they have seen the images of every fold: "
                "trust only the test set."
            )
    return sentences


def _weights(variant: Variant) -> str:
    return str(variant.parameters().get(PATH) or "")


def kept(text: str, work: Path) -> str:
    """Copy saved weights into the work directory and return their digest.

    Args:
        text: an exported folder, a file of weights, or the digest of weights that the work directory has.
        work: the work directory.

    Raises:
        BadInputError: no such weights, or damaged ones.
    """
    path = Path(text).expanduser()
    if re.fullmatch("[0-9a-f]{64}", text) and saved_weights(work, text).exists():
        if not _is_sound(work, text):
            raise BadInputError(f"{saved_weights(work, text)} is damaged: give its file again with --weights FILE.")
        return text
    try:
        content = saved.content(path)
        digest = saved.digest(content)
    except FileNotFoundError:
        raise BadInputError(f"There are no saved weights {text}: {KNOWN}.") from None
    except Exception as error:  # a damaged file makes the readers raise anything
        reason = "damaged, or a file of another kind"
        if isinstance(error, saved.UnfitError):
            reason = str(error)
        elif isinstance(error, OSError) and error.strerror:
            reason = error.strerror
        raise BadInputError(f"{path} cannot be read as saved weights ({reason}): {KNOWN}.") from error
    _keep(content, path if path.is_dir() else path.parent, digest, work)
    return digest


def _keep(content: bytes, beside: Path, digest: str, work: Path) -> None:
    """Write saved weights, and what an export records about their model, into the work directory.

    Args:
        content: the content of the file of weights.
        beside: the directory in which preprocessing.json is looked for.
        digest: the digest of the weights.
        work: the work directory.
    """
    copy = saved_weights(work, digest)
    record = read_json(beside / "preprocessing.json")
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not _is_sound(work, digest):
            write_atomically(copy, lambda file: file.write(content))
        if isinstance(record, dict) and record.get("weights") == digest:
            write_json(_record_file(work, digest), record)
    except OSError as error:
        raise BadInputError(f"--work-dir {work} cannot be written to: {error.strerror or error}.") from error


def _is_sound(work: Path, digest: str) -> bool:
    """Tell whether the work directory has undamaged weights with this digest."""
    try:
        return saved.digest(saved_weights(work, digest).read_bytes()) == digest
    except (OSError, RuntimeError, KeyError, ValueError):
        return False


def _record_file(work: Path, digest: str) -> Path:
    return saved_weights(work, digest).with_suffix("").with_suffix(".json")


def _model_record(work: Path, digest: str) -> dict[str, Any]:
    """Return what an export has recorded about the model with these weights; {} if nothing is known.

    Raises:
        DamagedError: the record cannot be read.
    """
    return read_record(_record_file(work, digest), {}, {"parameters": dict, "data": dict}) or {}
