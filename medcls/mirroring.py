"""From runs, trials and the study to the nodes of the tracking store; does nothing when offline."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medcls import __version__, git
from medcls.data.cache import open_decoded
from medcls.evaluation import classification
from medcls.options import root
from medcls.programme import Programme
from medcls.report import figures
from medcls.search.tuner import COMPLETE, FAILED, Trial
from medcls.sources import Source
from medcls.spec import Run
from medcls.tracking import nodes
from medcls.tracking.journal import RunFolder
from medcls.tracking.mlflow import Mirror
from medcls.tracking.nodes import DataRecord, Ending, Node


class Mirroring:
    """What the driver says to the store: `mirror` is None when offline.

    Args:
        mirror: the experiment in the store.
        study: the identity of the study's own node.
        tags: on every node: study, commit, kind of data.
    """

    def __init__(self, mirror: Mirror | None, study: str, tags: Mapping[str, Any]) -> None:
        self.mirror, self.study, self._tags = mirror, study, tags

    def sync(self, *, now: bool = False) -> bool:
        """Write what is waiting; return whether the store has everything."""
        return self.mirror is None or self.mirror.sync(now=now)

    def open_study(self, name: str, parameters: Mapping[str, Any], data: DataRecord | None, note: str) -> None:
        """Show the study's own node, again if it had ended."""
        if self.mirror is not None:
            self.mirror.reopen(self.study)
            tags = {**self._tags, "medcls.level": "study", "mlflow.note.content": note}
            self.mirror.open(Node(self.study, name, None, _now(), parameters, tags, data))

    def close_study(self, ending: Ending) -> None:
        """End the study's own node."""
        if self.mirror is not None:
            self.mirror.close(self.study, ending)

    def trial_identity(self, number: int) -> str:
        """Return the identity of a trial's node."""
        return f"{self.study}/trial-{number}"

    def open_trial(self, number: int, labels: Mapping[str, Any], metric: str) -> None:
        """Show a trial's node, with the parameters that the search proposed."""
        if self.mirror is not None:
            identity = self.trial_identity(number)
            tags = {**self._tags, "medcls.level": "trial", "medcls.trial": number, "medcls.metric": metric}
            self.mirror.open(Node(identity, f"trial {number}", self.study, _now(), labels, tags))

    def close_trial(self, trial: Trial, scores: Mapping[str, float], ended: int) -> None:
        """End a trial's node: KILLED if it was pruned, FAILED if one of its runs failed."""
        if self.mirror is not None:
            status = {COMPLETE: nodes.FINISHED, FAILED: nodes.FAILED}.get(trial.state, nodes.KILLED)
            self.mirror.close(self.trial_identity(trial.number), Ending(status, scores, ended))

    def run_identity(self, run: Run, parent: str) -> str:
        """Return the identity of a run's node below its parent."""
        return f"{parent}/{run.key}"

    def open_run(self, run: Run, folder: RunFolder, parent: str, source: Source, *, fresh: bool) -> None:
        """Show a run's node; `fresh` if it is not finished, so that the store must take it up again."""
        if self.mirror is None:
            return
        described = folder.description()
        identity = self.run_identity(run, parent)
        if fresh:
            self.mirror.reopen(identity)
        tags = {
            **self._tags,
            "medcls.level": "run",
            "medcls.key": run.key,
            "medcls.variant": run.variant_name,
            "medcls.seed": run.seed,
            "medcls.fold": run.fold,
            "medcls.code": described.get("code"),
            "medcls.threads": described.get("threads"),
            "medcls.shared_from": described.get("shared_from"),
        }
        data = data_record(source)
        self.mirror.open(Node(identity, run.label, parent, described["created"], run.parameters(), tags, data, folder))

    def close_run(self, run: Run, folder: RunFolder, parent: str, result: Mapping[str, Any], source: Source) -> None:
        """End a run's node with its scores, its curves and its confusion matrix."""
        if self.mirror is None or self.mirror.has_ended(self.run_identity(run, parent)):
            return
        failed = result["status"] != "finished"
        metrics = {f"best/val_{name}": value for name, value in result["metrics"].items() if name != "gap"}
        if not failed:
            best = {name: values[result["best_epoch"]] for name, values in folder.history().items()}
            metrics |= {f"best/{name}": value for name, value in best.items() if f"best/{name}" not in metrics}
            metrics |= {
                "best/epoch": result["best_epoch"] + 1,
                "epochs": result["epochs"],
                "minutes": result["seconds"] / 60,
            }
            metrics |= {"gap": result["metrics"]["gap"]} if "gap" in result["metrics"] else {}
        files = pictures(run, folder, result, source) if not failed else _traceback(folder, result)
        files[folder.path / "result.json"] = ""
        status = nodes.FAILED if failed else nodes.FINISHED
        tags = {"medcls.weights_sha256": result["weights_sha256"], "medcls.error": result["error"]}
        self.mirror.close(self.run_identity(run, parent), Ending(status, metrics, result["ended"], files, tags))


def study_mirroring(programme: Programme) -> Mirroring:
    """Return the mirroring of a study's programme, its own node open; without a store if it is to stay offline."""
    study, options = programme.study, programme.options
    data = data_record(next(iter(programme.sources.values())))
    tags = {
        "medcls.study": study.name,
        "medcls.version": __version__,
        "medcls.smoke": options.smoke,
        "medcls.git_commit": git.commit(root()),
        "medcls.git_dirty": git.is_dirty(root()),
        "data.kind": ",".join(sorted({source.bundle.kind for source in programme.sources.values()})),
    }
    mirror = None
    if not options.offline:
        mirror = Mirror(options.tracking_uri, study.name, root() / "mlruns", study.question)
    mirroring = Mirroring(mirror, programme.key, tags)
    variant = next(iter(study.variants.values()))
    note = f"**{study.question}**"
    mirroring.open_study(study.name, variant.parameters(), data, note)
    return mirroring


def pictures(run: Run, folder: RunFolder, result: Mapping[str, Any], source: Source) -> dict[Path, str]:
    """Draw a finished run's learning curves and confusion matrix into its folder; return them as artifacts."""
    curves, confusion = folder.path / "learning_curves.png", folder.path / "confusion_matrix.png"
    if not curves.exists():
        figures.save(figures.learning_curves(folder.history(), result["best_epoch"], run.label), curves)
    predicted = folder.read_arrays("predictions")
    if predicted is not None and source.decoded is not None and not confusion.exists():
        data = open_decoded(source.decoded)
        matrix = classification.confusion_matrix(
            data.labels[predicted["rows"]], predicted["predictions"].argmax(axis=1), len(data.classes)
        )
        figures.save(figures.confusion_matrix(matrix, data.classes, run.label), confusion)
    return {curves: "", confusion: ""}


def data_record(source: Source) -> DataRecord:
    """Return what the store's data set input says of a source."""
    bundle = source.bundle
    counts = {name: int((bundle.labels == label).sum()) for label, name in enumerate(bundle.classes)}
    profile = {
        "images": len(bundle.labels),
        "classes": counts,
        "size": bundle.size,
        "channels": bundle.channels,
    }
    return DataRecord(source.name, bundle.source, bundle.kind, bundle.fingerprint, profile)


def _traceback(folder: RunFolder, result: Mapping[str, Any]) -> dict[Path, str]:
    path = folder.path / "traceback.txt"
    path.write_text(result.get("traceback") or result["error"])
    return {path: "", folder.path / "output.txt": ""}


def _now() -> int:
    return int(time.time() * 1000)
