"""medcls list: every building block that the packages export, with parameters, defaults and limits."""

import importlib
import inspect
import json
import subprocess
import sys
import time
from types import ModuleType

import pytest

from medcls import augmentation, data, losses, models, training
from medcls.cli.blocks import as_markdown, blocks

KINDS = (
    *("models", "augmentations", "losses", "schedules", "optimizers", "tasks", "learners", "datasets", "formats"),
    "answers",
)


def medcls(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "medcls", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("package", [augmentation, data, losses, models, training])
def test_every_exported_function_is_listed_with_its_parameters(package: ModuleType) -> None:
    listed = {block.name: block for block in blocks()}
    for name in package.__all__:
        function = getattr(package, name)
        if inspect.isfunction(function):
            block = listed[f"{package.__name__.rpartition('.')[2]}.{name}"]
            assert block.summary.endswith((".", ")"))
            signature = inspect.signature(function).parameters.values()
            expected = [parameter.name for parameter in signature if parameter.kind is parameter.KEYWORD_ONLY]
            assert [parameter.name for parameter in block.parameters] == expected


def test_every_kind_has_blocks_and_every_block_one_line() -> None:
    listed = blocks()
    assert set(KINDS) <= {block.kind for block in listed}
    assert len({(block.kind, block.name) for block in listed}) == len(listed)
    for block in listed:
        assert block.summary, block.name
        assert "\n" not in block.summary + "".join(parameter.meaning for parameter in block.parameters)
    assert {block.name for block in listed if block.kind == "tasks"} >= {"tasks.MULTICLASS", "tasks.SEGMENTATION"}


def test_limits_are_those_of_the_checks() -> None:
    limits = {(block.name, parameter.name): parameter.limits for block in blocks() for parameter in block.parameters}
    assert limits["training.adam", "learning_rate"] == "above 0"
    assert limits["models.resnet", "dropout"] == "at least 0 and below 1"
    assert "bottleneck" in limits["models.resnet", "block"]
    assert limits["augmentation.randaugment", "magnitude"] == "from 0 to 30"
    assert limits["training.gradient", "share"] == "above 0 and at most 1"


def test_a_kind_and_a_block_are_printed_with_parameters() -> None:
    begun = time.monotonic()
    done = medcls("list", "schedules", "resnet", "stopping-rules")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 60
    lines = done.stdout.splitlines()
    assert lines[0] == "schedules"
    assert any(line.startswith("    warmup_epochs = 2 (at least 0): ") for line in lines)
    assert any(line.startswith("  models.resnet: ") for line in lines)
    assert any(line.startswith("    depth = 20: ") for line in lines)
    assert any(line.startswith("  training.early: ") for line in lines)


def test_without_a_kind_there_is_one_line_a_block() -> None:
    done = medcls("list")
    assert done.returncode == 0
    assert len([line for line in done.stdout.splitlines() if line.startswith("  ")]) == len(blocks())


def test_json_has_all_that_is_printed() -> None:
    done = medcls("list", "losses", "--json")
    listed = json.loads(done.stdout)
    assert {block["kind"] for block in listed} == {"losses"}
    (dice,) = [block for block in listed if block["name"] == "losses.dice"]
    assert dice["parameters"][0]["name"] == "smooth"
    assert dice["parameters"][0]["default"] == "1.0"
    assert dice["parameters"][0]["limits"] == "at least 0"


def test_the_answers_that_a_study_may_ask_for_are_listed_with_their_parameters() -> None:
    done = medcls("list", "answers")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "answers"
    listed = {line.strip().partition(":")[0] for line in lines if line.startswith("  ") and not line.startswith("   ")}
    ready_made = {"compare", "converges", "final", "overfitting", "reaches", "sooner", "until"}
    assert {f"answers.{name}" for name in ready_made} <= listed
    assert {"references.ratio", "saliency_answers.where_it_looks", "best_answers.best_trial"} <= listed
    assert not {"answers.comparisons", "answers.decided", "best_answers.deciding_score"} & listed
    assert "    metric = 'val_accuracy': the name of the curve." in lines
    assert any(line.startswith("    *metrics (must be given): ") for line in lines)


def test_a_study_can_ask_for_each_answer_by_the_name_in_the_list() -> None:
    for block in blocks():
        if block.kind == "answers":
            module, _, name = block.name.partition(".")
            assert callable(getattr(importlib.import_module(f"medcls.evaluation.{module}"), name))


def test_what_does_not_exist_is_named_with_the_nearest() -> None:
    done = medcls("list", "optimisers")
    assert done.returncode == 2
    assert "optimizers" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nothing_heavy_is_imported() -> None:
    code = """
import sys
from medcls.cli.main import main
main(["list", "models"])
print(sorted({"tensorflow", "keras", "mlflow", "matplotlib", "optuna", "ray"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_the_page_of_the_documentation_has_every_block_and_whole_tables() -> None:
    page = as_markdown(blocks())
    for block in blocks():
        assert f"**`{block.name}`**" in page
    for line in page.splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == 5
