"""Files with their SHA-256 beside them: what is computed once and used for long is known to be what was written."""

import hashlib
from pathlib import Path

from medcls.data.content_hashes import Hashes
from medcls.utils.files import write_json
from medcls.utils.records import DamagedError, read_record

CHECKED = "checked.sqlite"  # in the files' folder: by what sizes and times they were compared last


def seal(path: Path, content: Path) -> None:
    """Write down beside `path` the SHA-256 of the file `content`, which is to be there or is there already."""
    with content.open("rb") as file:
        write_json(_record(path), {"sha256": hashlib.file_digest(file, "sha256").hexdigest()})


def is_sound(path: Path) -> bool:
    """Tell whether a file is there as it was sealed. It is read if its size or times are not those of the last time."""
    try:
        record = read_record(_record(path), {"sha256": str})
    except DamagedError:
        return False
    return record is not None and Hashes(path.parent / CHECKED).sha256_of([path]) == [record["sha256"]]


def is_sealed(path: Path) -> bool:
    """Tell whether there is a SHA-256 beside a file; an earlier version wrote none."""
    return _record(path).exists()


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")
