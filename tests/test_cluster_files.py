"""What docs/cluster has for SLURM and Kubernetes: linted, checked against the schemas, the script run for real."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import medcls

FILES = Path(medcls.__file__).parents[1] / "docs" / "cluster"
TINY = Path(__file__).parent / "cli" / "tiny_study.py"
# In the place of SLURM's: both machines of the job are this one.
SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""
SCONTROL = "#!/bin/bash\nprintf '127.0.0.1\\n127.0.0.1\\n'\n"


def manifests(name: str) -> list[Any]:
    return list(yaml.safe_load_all((FILES / name).read_text()))


def pods() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for each in manifests("tracking.yaml"):
        if "template" in each["spec"]:
            yield each["metadata"]["name"], each["spec"]["template"]
    cluster = manifests("rayjob.yaml")[-1]["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        yield group.get("groupName", "head"), group["template"]


def test_the_script_for_slurm_is_clean() -> None:
    subprocess.run([shutil.which("shellcheck") or "shellcheck", FILES / "slurm.sh"], check=True)
    assert os.access(FILES / "slurm.sh", os.X_OK)


@pytest.mark.parametrize("name", ["tracking.yaml", "rayjob.yaml"])
def test_manifests_fit_the_schemas_of_kubernetes(name: str) -> None:
    kinds = []
    for each in manifests(name):
        kinds.append(each["kind"])
        if each["kind"] == "RayJob":  # KubeRay's own; what is Kubernetes's in it is checked below
            continue
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)
    assert len(kinds) > 1


@pytest.mark.parametrize(("name", "template"), list(pods()), ids=lambda each: each if isinstance(each, str) else "")
def test_pods_are_whole_and_mount_what_there_is(name: str, template: Mapping[str, Any]) -> None:
    pod = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": name}, "template": template}
    kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)
    claims = {"store"} if name == "postgresql" else set()
    volumes = {each["name"] for each in template["spec"].get("volumes", ())} | claims
    for container in template["spec"]["containers"]:
        assert {each["name"] for each in container["volumeMounts"]} == volumes
        assert container["resources"]["limits"]["memory"]


def test_names_that_manifests_give_each_other_are_there() -> None:
    both = [*manifests("tracking.yaml"), *manifests("rayjob.yaml")]
    there = {(each["kind"], each["metadata"]["name"]) for each in both}
    text = "".join((FILES / name).read_text() for name in ("tracking.yaml", "rayjob.yaml"))
    assert {("PersistentVolumeClaim", each) for each in re.findall(r"claimName: (\S+)", text)} <= there
    assert ("Service", "mlflow") in there  # of http://mlflow:5000
    assert "http://mlflow:5000" in text
    assert "@postgresql:5432" in text
    assert ("Service", "postgresql") in there
    created = re.findall(r"kubectl create (secret generic|configmap) (\S+)", text)
    assert {name for _, name in created} == set(re.findall(r"name: (medcls-database|medcls-study)", text))


@pytest.mark.slow
def test_the_script_for_slurm_starts_a_cluster_and_ends_as_the_study_does(tmp_path: Path) -> None:
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    job = {
        "SLURM_SUBMIT_DIR": tmp_path,
        "SLURM_JOB_ID": os.getpid(),
        "SLURM_JOB_NODELIST": "two",
        "SLURM_CPUS_PER_TASK": 1,
    }
    places = {"MEDCLS_ENVIRONMENT": sys.prefix, "MEDCLS_WORK": tmp_path / "runs"}
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, **{name: str(value) for name, value in {**job, **places}.items()}, "PATH": path}
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    flags = ["--smoke", "--tracking-uri", store, "--json", str(tmp_path / "summary.json")]
    script = ["bash", str(FILES / "slurm.sh"), str(TINY), *flags]
    done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "summary.json").exists()
    wrong = subprocess.run(
        [*script, "--trials", "0"], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert wrong.returncode == 2
