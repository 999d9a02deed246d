"""Saved weights that a study's runs begin with: known by what is in them, and kept in the work folder."""

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
    """Return the variants with `given` weights, or else those that they declare, as the digest of what is in them.

    The weights are copied into the work folder, so that runs can go on when their file has moved or gone.

    Raises:
        BadInputError: no such file, a damaged one, or a study whose variants take none.
    """
    if given is not None and not any(PATH in variant.parameters() for _, variant in conditions):
        raise BadInputError(f"--weights {given}: this study's runs do not begin with saved weights: leave it out.")

    def changed(variant: Variant) -> Variant:
        if PATH not in variant.parameters():
            return variant
        wanted = str(variant.get(PATH)) if given is None else given
        return variant.with_(PATH, "" if wanted in ("", RANDOM) else kept(wanted, work))

    return [(name, changed(variant)) for name, variant in conditions]


def inherited(search: Search, base: Variant, settings: Mapping[str, str], work: Path) -> dict[str, str]:
    """Return settings that make the network of a search the one whose saved weights it begins with.

    Raises:
        BadInputError: the search varies what is not known of the saved network.
    """
    weights = _weights(base)
    owners = tuple(f"{path}." for path in settings)
    searched = [path for path in search.space if f"{path}.".startswith(f"{MODEL}.")]
    varied = [path for path in searched if path not in settings and not path.startswith(owners)]
    if not weights or not varied:
        return {}
    known = _papers(work, weights).get("parameters", {})
    for path in varied:
        if path not in known:
            raise BadInputError(
                f"The search varies {', '.join(varied)}, but saved weights fit one network only: "
                f"set what theirs has, e.g. {typed('--set', f'{path}={base.parameters()[path]}')}."
            )
    return {path: _text(known[path]) for path in varied}


def check(
    conditions: Sequence[tuple[str, Variant]],
    sources: StudyData,
    work: Path,
    ask: Callable[..., Any],
    *,
    folds: bool,
) -> list[str]:
    """Check that saved weights fit the networks that begin with them; return a sentence for each that does.

    Args:
        conditions: the study's variants with their names.
        sources: its data sets.
        work: the work folder.
        ask: calls a function in a process that may use TensorFlow.
        folds: the runs are compared on images that other runs are trained on.

    Raises:
        BadInputError: they do not fit.
    """
    said = []
    for name, variant in conditions:
        weights, bundle = _weights(variant), sources.of(variant).bundle
        if not weights:
            continue
        shape = (bundle.size, bundle.size, bundle.channels)
        try:
            found = ask(fitting, variant, shape, len(bundle.classes), saved_weights(work, weights))
        except TrainingError:
            continue  # the network cannot be built: its runs will fail and say why
        if found.misfit:
            raise BadInputError(
                f"The saved weights do not fit the network of {name}: {found.misfit}; make the networks alike with "
                f"--set {MODEL}..., or choose among the variants with --only."
            )
        head = f"; {found.head}, so this layer starts anew" if found.head else ""
        said.append(f"{name} begins with the saved weights {weights[:12]}{head}.")
        if folds and _papers(work, weights).get("data", {}).get("fingerprint") == bundle.fingerprint:
            said.append(
                "These weights have been trained on this very data set, so no fold's images are new to them: "
                "trust the held-out part alone."
            )
    return said


def _weights(variant: Variant) -> str:
    return str(variant.parameters().get(PATH) or "")


def kept(text: str, work: Path) -> str:
    """Return the digest of the weights that `text` names, which lie in the work folder from now on."""
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
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "damaged, or of another kind"
        reason = str(error) if isinstance(error, saved.UnfitError) else reason
        raise BadInputError(f"{path} cannot be read as saved weights ({reason}): {KNOWN}.") from error
    _keep(content, path if path.is_dir() else path.parent, digest, work)
    return digest


def _keep(content: bytes, beside: Path, digest: str, work: Path) -> None:
    copy = saved_weights(work, digest)
    papers = read_json(beside / "preprocessing.json")
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not _is_sound(work, digest):
            write_atomically(copy, lambda file: file.write(content))
        if isinstance(papers, dict) and papers.get("weights") == digest:
            write_json(_papers_file(work, digest), papers)
    except OSError as error:
        raise BadInputError(f"--work-dir {work} cannot be written to: {error.strerror or error}.") from error


def _is_sound(work: Path, digest: str) -> bool:
    """Tell whether the work folder has weights with this digest, undamaged."""
    try:
        return saved.digest(saved_weights(work, digest).read_bytes()) == digest
    except (OSError, RuntimeError, KeyError, ValueError):
        return False


def _papers_file(work: Path, digest: str) -> Path:
    return saved_weights(work, digest).with_suffix("").with_suffix(".json")


def _papers(work: Path, digest: str) -> dict[str, Any]:
    """Return what is known of the model whose weights these are, empty where nothing is.

    Raises:
        DamagedError: that cannot be read.
    """
    return read_record(_papers_file(work, digest), {}, {"parameters": dict, "data": dict}) or {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
