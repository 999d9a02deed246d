"""The fingerprint: what changes it and what must not."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcls import data
from medcls.data.readers.records import Record, fingerprint

Draw = Callable[..., Path]
SPLIT = ("train/Mel/a.png", "train/Nev/b.png", "validation/Mel/c.png", "validation/Nev/d.png")
RECORDS = st.lists(
    st.tuples(
        st.builds(
            Record,
            path=st.just(Path("x")),
            name=st.text(),
            label=st.sampled_from(["Mel", "Nev", "N"]),
            part=st.sampled_from(["", "train", "test"]),
            patient=st.none() | st.sampled_from(["p1", "p2"]),
        ),
        st.text("0123456789abcdef", min_size=64, max_size=64),
    ),
    min_size=1,
    max_size=8,
)


def of(rows: list[tuple[Record, str]]) -> str:
    return fingerprint([record for record, _ in rows], [content for _, content in rows])


def known(rows: list[tuple[Record, str]]) -> list[tuple[str, str, str, str]]:
    """Return all that the fingerprint stands for."""
    return sorted((record.label, record.part, record.patient or "", content) for record, content in rows)


@given(RECORDS, st.randoms())
def test_neither_order_nor_names_change_it(rows: list, random: object) -> None:
    mixed = [
        (Record(Path("y"), f"{number}", each.label, each.part, each.patient), content)
        for number, (each, content) in enumerate(rows)
    ]
    random.shuffle(mixed)
    assert of(mixed) == of(rows)


@given(RECORDS, RECORDS)
def test_it_is_equal_only_for_equal_data(one: list, other: list) -> None:
    assert (of(one) == of(other)) == (known(one) == known(other))


@given(RECORDS, st.data())
def test_any_row_changes_it(rows: list, choose: st.DataObject) -> None:
    position = choose.draw(st.integers(0, len(rows) - 1))
    record, content = rows[position]
    other = {
        "label": (Record(record.path, record.name, "other", record.part, record.patient), content),
        "part": (Record(record.path, record.name, record.label, "validation", record.patient), content),
        "patient": (Record(record.path, record.name, record.label, record.part, "p3"), content),
        "content": (record, "g" + content[1:]),
    }
    for changed in other.values():
        assert of([*rows[:position], changed, *rows[position + 1 :]]) != of(rows)


@pytest.fixture
def print_of(tmp_path: Path) -> Callable[..., str]:
    """Return a function from a source to its fingerprint, with one store of hashes for all."""
    return lambda source, **keywords: (
        data.folder(data.Hashes(tmp_path / "h"), source=str(source), **keywords).fingerprint
    )


def test_a_renamed_folder_and_renamed_files_are_the_same_data(tmp_path: Path, draw: Draw, print_of: Callable) -> None:
    source = draw(tmp_path / "one", *SPLIT)
    before = print_of(source)
    assert before.startswith("sha256:")
    assert len(before) == 71
    moved = source.rename(tmp_path / "other")
    (moved / "train/Mel/a.png").rename(moved / "train/Mel/z.png")
    (moved / "validation").rename(moved / "Val")
    assert print_of(moved) == before
    assert print_of(moved, size=32, channels=3) == before


@pytest.mark.parametrize("change", ["byte", "label", "part", "removed", "doubled", "swapped", "class renamed"])
def test_every_change_of_the_data_changes_it(change: str, tmp_path: Path, draw: Draw, print_of: Callable) -> None:
    source = draw(tmp_path / "one", *SPLIT, "train/Mel/e.png")
    before = print_of(source)
    image = source / "train/Mel/a.png"
    if change == "byte":
        content = bytearray(image.read_bytes())
        content[-1] ^= 1
        image.write_bytes(content)
    elif change == "label":
        image.rename(source / "train/Nev/a.png")
    elif change == "part":
        image.rename(source / "validation/Mel/a.png")
    elif change == "removed":
        image.unlink()
    elif change == "doubled":
        (source / "train/Mel/f.png").write_bytes(image.read_bytes())
    elif change == "swapped":
        other = source / "train/Nev/b.png"
        image.rename(source / "x")
        other.rename(image)
        (source / "x").rename(other)
    else:
        (source / "train/Mel").rename(source / "train/Melanoma")
        (source / "validation/Mel").rename(source / "validation/Melanoma")
    assert print_of(source) != before


def test_a_folder_and_a_table_of_the_same_images_are_the_same_data(
    tmp_path: Path, draw: Draw, print_of: Callable
) -> None:
    source = draw(tmp_path / "one", *SPLIT)
    lines = [f"{name},{name.split('/')[1]},{name.split('/')[0]}" for name in SPLIT]
    table = tmp_path / "one" / "table.csv"
    table.write_text("\n".join(["path,label,split", *lines]))
    assert print_of(table) == print_of(source)
    with_patients = [f"{line},p{number}" for number, line in enumerate(lines)]
    table.write_text("\n".join(["path,label,split,patient", *with_patients]))
    assert print_of(table) != print_of(source)


def test_a_bundle_tells_the_content_of_each_image(tmp_path: Path, draw: Draw) -> None:
    folder = draw(tmp_path / "own", *SPLIT)
    bundle = data.folder(data.Hashes(tmp_path / "hashes"), source=str(folder))
    assert bundle.contents == tuple(sha256((folder / name).read_bytes()).hexdigest() for name in bundle.names)
    phantom = data.xray(data.Hashes(tmp_path / "hashes"))
    assert set(phantom.contents) == {""}
    assert len(phantom.contents) == len(phantom.names)
