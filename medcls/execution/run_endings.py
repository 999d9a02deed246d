"""How runs end in the store: with their scores, figures and images, or with their traceback."""

from medcls.execution.planning.datasets import DataSource
from medcls.execution.remarks import remark
from medcls.explain import saliency_scores
from medcls.report.case_images import of_run
from medcls.report.run_figures import pictures
from medcls.spec.run import Run
from medcls.tracking import run_origin, run_table
from medcls.tracking.entries import Ending, EntryStatus
from medcls.tracking.run_dir import RunDir
from medcls.tracking.run_records import RunResult


def ending_of_run(run: Run, folder: RunDir, result: RunResult, source: DataSource) -> Ending:
    """Return how a run's entry ends: with its scores, figures and images; or with its traceback.

    Args:
        run: the run.
        folder: its run directory.
        result: how it ended.
        source: its data set.
    """
    files = dict.fromkeys([folder.path / "result.json", *run_origin.kept_code(folder)], "")
    origin = run_origin.tags(folder)
    if not result.is_finished:
        files |= {folder.path / "traceback.txt": "", folder.path / "output.txt": ""}
        trace = result.traceback or f"{result.error}\n"
        traced = {folder.path / "traceback.txt": lambda path: path.write_text(trace)}
        tags = {**origin, "medcls.error": str(result.error)}
        return Ending(EntryStatus.FAILED, result.ended, tags=tags, files=files, drawings=traced)
    tags = {**origin, "medcls.weights_sha256": result.weights_sha256}
    sentence = remark(folder.read_arrays("predictions"), source)
    if sentence:
        tags["medcls.remark"] = sentence
    figures = pictures(run, folder, result, source.decoded)
    return Ending(
        EntryStatus.FINISHED,
        result.ended,
        run_table.of_run(folder, result) | saliency_scores.scores(saliency_scores.read(folder)),
        tags,
        files,
        figures,
        images=of_run(run, folder, source.decoded, figures),
    )
