"""A data set larger than memory: what a process holds does not grow with it."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

SIDE, COUNT = 224, 4000  # 600 MB of RGB
MEASURE = """
import json, pathlib, sys
from medcls import augmentation, data
from medcls.data.loading import decoded_cache as cache, batches as stream
from medcls import data
root, size = pathlib.Path(sys.argv[1]), int(sys.argv[2])

def held(kind="RssAnon"):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(kind))

def plan(name):
    return data.folder(data.Hashes(root / "work" / "hashes"), source=str(root / name), size=size, channels=3)

def build(bundle):
    most = []
    path = cache.prepare(bundle, root / "work", lambda done, total: done % 200 or most.append(held()))
    return path, max(most)

build(plan("few.npz"))  # what is imported and warmed up on the way is not counted
before = held()
bundle = plan("many.npz")
planned = held()
path, built = build(bundle)
decoded = cache.open_decoded(path)

import numpy as np
import tensorflow as tf
def epoch(rows):
    targets = np.zeros((len(rows), 2), np.float32)
    examples = stream.Examples(decoded.images, rows, targets, np.ones(len(rows), np.float32))
    order = stream.shuffled(decoded.labels[rows], 0)
    most, mapped, total = 0, 0, 0.0
    for images, *_ in stream.training(examples, order, augmentation.none().batch, 0, 16, range(1)):
        most, mapped = max(most, held()), max(mapped, held("RssFile"))
        total += float(tf.reduce_sum(images[:, 0, 0, 0]))
    return most, mapped, total

first, mapped_first, _ = epoch(np.arange(100))
whole, mapped, total = epoch(np.arange(len(decoded.labels)))
print(json.dumps({
    "planned": planned - before, "built": built - before, "streamed": whole - first, "total": total,
    "mapped": mapped - mapped_first,
    "bytes": decoded.images.nbytes, "images": len(decoded.images),
}))
"""


def save(path: Path, count: int) -> None:
    """Write an .npz of flat pictures without ever holding them all."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("train_images.npy", "w", force_zip64=True) as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, SIDE, SIDE, 3)}
            np.lib.format.write_array_header_1_0(file, header)
            for number in range(count):
                file.write(bytes([number % 251]) * (SIDE * SIDE * 3))
        with archive.open("train_labels.npy", "w") as file:
            np.lib.format.write_array(file, (np.arange(count) % 2)[:, None])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_memory_stays_flat_while_the_cache_is_built_and_while_an_epoch_streams(tmp_path: Path) -> None:
    save(tmp_path / "few.npz", 400)
    save(tmp_path / "many.npz", COUNT)
    command = [sys.executable, "-c", MEASURE, str(tmp_path), str(SIDE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout.splitlines()[-1])
    assert (measured["bytes"], measured["images"]) == (COUNT * SIDE * SIDE * 3, COUNT)
    assert measured["total"] == sum(number % 251 for number in range(COUNT))  # every image was streamed
    assert measured["bytes"] > 600e6
    assert max(measured["planned"], measured["built"]) < 100  # MB
    assert measured["mapped"] < 150  # MB: what was read of the cache is given back
    assert measured["streamed"] < 250  # MB; the allocator keeps some batches, how many depends on the machine's load
