"""labels.csv: what it may look like, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from medcls import BadInputError, data
from medcls.data.dataset import DatasetSpec

Draw = Callable[..., Path]


@pytest.fixture
def source(tmp_path: Path, draw: Draw) -> Path:
    return draw(tmp_path / "set", "images/a.png", "images/b.png", "images/c, d.png", "images/é.png")


def read(source: Path, text: str, encoding: str = "utf-8") -> DatasetSpec:
    (source / "labels.csv").write_bytes(text.encode(encoding))
    return data.folder(data.Hashes(source.parent / "hashes"), source=str(source), size=8)


def test_a_table_says_label_patient_and_split(source: Path) -> None:
    lines = ["path,label,patient,split", "images/a.png,Mel,p1,train", "images/b.png,Nev,p2,Train"]
    bundle = read(source, "\n".join([*lines, '"images/c, d.png",Mel,p1,VAL', "images/é.png,Nev,p3,test"]))
    assert bundle.names == ("images/é.png", "images/a.png", "images/b.png", "images/c, d.png")
    assert [bundle.classes[label] for label in bundle.labels] == ["Nev", "Mel", "Nev", "Mel"]
    assert bundle.parts.tolist() == ["test", "train", "train", "validation"]
    assert bundle.patients is not None
    assert bundle.patients.tolist() == ["p3", "p1", "p2", "p1"]
    assert bundle.kind == "files"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_may_come_from_any_program(source: Path, encoding: str, end: str) -> None:
    lines = ["Label , note,PATH", ' "Mel",,"images/c, d.png"', "Nev ,x,images\\é.png", ""]
    bundle = read(source, end.join(lines).replace(' "Mel"', '"Mel"'), encoding)
    assert bundle.names == ("images/c, d.png", "images/é.png")
    assert bundle.classes == ("Mel", "Nev")
    assert bundle.patients is None


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_any_separator_that_spreadsheets_use(source: Path, mark: str, quote: str) -> None:
    rows = [("path", "label", "comment"), ("images/a.png", "Mel", "x"), ("images/b.png", "Nev", "")]
    bundle = read(
        source, "\r\n".join(mark.join(f"{quote}{value}{quote}" for value in row) for row in rows), "utf-8-sig"
    )
    assert (bundle.names, bundle.classes) == (("images/a.png", "images/b.png"), ("Mel", "Nev"))


def test_separators_within_quotes_and_rows_without_values_do_not_count(source: Path) -> None:
    rows = ["path;label;note;", 'images/a.png;"Mel; the first";"a, b";', "images/b.png;Nev", ";;;", "", ";;"]
    assert read(source, "\n".join(rows)).classes == ("Mel; the first", "Nev")
    rows = ["path,label,a;b", '"images/c, d.png",Mel,x;y', "images/b.png,Nev"]
    assert read(source, "\n".join(rows)).names == ("images/c, d.png", "images/b.png")


def test_other_columns_are_passed_over(source: Path) -> None:
    plain = read(source, "path,label\nimages/a.png,Mel\nimages/b.png,Nev")
    more = read(source, "id,path,Fold,label,fold\n1,images/a.png,,Mel,x\n2,images/b.png,3,Nev,")
    assert (more.names, more.fingerprint) == (plain.names, plain.fingerprint)


def test_a_table_is_a_source_itself_and_may_name_absolute_paths(source: Path, tmp_path: Path) -> None:
    table = tmp_path / "my table.csv"
    table.write_text(f"path,label\n{source}/images/a.png,Mel\nset/images/b.png,Nev\n")
    bundle = data.folder(data.Hashes(tmp_path / "hashes"), source=str(table), size=8)
    assert bundle.names == (f"{source}/images/a.png", "set/images/b.png")
    assert bundle.decode(0).shape == (8, 8, 1)
    assert (bundle.name, bundle.source) == (tmp_path.name, str(table))


REFUSED = {
    "no label column": ("path,class\nimages/a.png,Mel", "no column label .*path, class"),
    "no path column": ("file,label\nimages/a.png,Mel", "no column path"),
    "empty": ("", "no column path .*none"),
    "header alone": ("path,label\n", "no PNG, JPEG, BMP, TIFF, PGM, PPM, TGA or DICOM image"),
    "missing files": ("path,label\nimages/a.png,Mel\nx.png,Nev\ny.png,Nev", "2 missing files: x.png, y.png"),
    "no label": ("path,label\nimages/a.png,Mel\nimages/b.png,", "line 3, has no label"),
    "short line": ("path,label\nimages/a.png,Mel\nimages/b.png", "line 3, has no label"),
    "unknown split": ("path,label,split\nimages/a.png,Mel,train\nimages/b.png,Nev,dev", "line 3: .*no split dev"),
    "half split": ("path,label,split\nimages/a.png,Mel,train\nimages/b.png,Nev,", "split for some"),
    "half patients": ("path,label,patient\nimages/a.png,Mel,p\nimages/b.png,Nev,", "no patient for images/b.png"),
    "twice": ("path,label\nimages/a.png,Mel\nimages/../images/a.png,Nev", "images/a.png more than once"),
    "unquoted comma": (
        "path,label\nimages/a.png,Mel\nimages/c, d.png,Nev",
        "line 3, has 3 values for 2 columns",
    ),
    "label twice": ("path,label,Label\nimages/a.png,Mel,Nev", "2 columns label .*path, label, label.*: keep one"),
    "blanks for columns": ("path label\nimages/a.png Mel", r"has blanks for commas \(its first line: path label\)"),
    "colons for columns": ("path:label\nimages/a.png:Mel", "has colons for commas .*: divide it by commas"),
    "carets for columns": ('"path"^"label"\nimages/a.png^Mel', "has carets for commas"),
    "lines in quotes": ('"path,label"\n"images/a.png,Mel"', "has quotes around whole lines for commas"),
    "two separators": ("path,label\nimages/a.png;Mel", "line 2, is not divided as its first line is"),
    "masks for labels": ("path,label\nimages/a.png,m/a.png\nimages/b.png,m/b.png", "files for labels.*column mask"),
    "class for label": ("path;class\nimages/a.png;Mel", "no column label .*did you mean class. Call that column label"),
    "Image ID for path": ("Image Path|label\nimages/a.png|Mel", "no column path .*did you mean Image Path"),
    "a slip": ("path,lable\nimages/a.png,Mel", "no column label .*did you mean lable"),
    "classes by case": ("path,label\nimages/a.png,Mel\nimages/b.png,mel", "classes .*'Mel' and 'mel'.*in one way"),
    "classes by blanks": ("path,label\nimages/a.png,no finding\nimages/b.png,no  finding", "'no  finding' and 'no f"),
    "classes by number": ("path,label\nimages/a.png,1\nimages/b.png,1.0\nimages/é.png,01", "'01' and '1' and '1.0'"),
    "classes by what is unseen": ("path,label\nimages/a.png,no\u00a0pox\nimages/b.png,no pox\u200b", "no.*pox"),
    "classes by zeros": ("path,label\nimages/a.png,grade 1\nimages/b.png,Grade 01", "'Grade 01' and 'grade 1'"),
    "patients by case": ("path,label,patient\nimages/a.png,M,P1\nimages/b.png,N,p1", "patients .*'P1' and 'p1'"),
    "patients by number": ("path,label,patient\nimages/a.png,M,7\nimages/b.png,N,7.0", "patients .*'7' and '7.0'"),
    "no names of columns": ("images/a.png,Mel\nimages/b.png,Nev", r"no column path \(its columns: images/a.png, mel\)"),
    "a folder": ("path,label\nimages,Mel\nimages/b.png,Nev", "1 missing files: images;"),
    "one class": ("path,label\nimages/a.png,Mel\nimages/b.png,Mel", "one class only"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_faulty_table_is_refused_in_one_sentence(fault: str, source: Path) -> None:
    text, message = REFUSED[fault]
    with pytest.raises(BadInputError, match=message) as refusal:
        read(source, text)
    assert str(source) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_table_in_another_encoding_is_refused(source: Path) -> None:
    with pytest.raises(BadInputError, match="not in UTF-8"):
        read(source, "path,label\nimages/é.png,Mel", "latin-1")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("mark", [",", "\t"])
def test_other_encodings_of_unicode_are_read(source: Path, encoding: str, mark: str) -> None:
    rows = [("path", "label", "patient"), ("images/é.png", "Nævus", "p1"), ("images/b.png", "Mel", "p2")]
    text = "\r\n".join(mark.join(row) for row in rows)
    bundle = read(source, text, encoding)
    assert (bundle.names, bundle.classes) == (("images/b.png", "images/é.png"), ("Mel", "Nævus"))


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_a_line_that_says_the_separator_is_no_header(source: Path, mark: str) -> None:
    lines = [f"sep={mark}", f"path{mark}label", f"images/a.png{mark}Mel", f"images/b.png{mark}Nev"]
    assert read(source, "\r\n".join(lines)).classes == ("Mel", "Nev")
    with pytest.raises(BadInputError, match="line 4, has no label"):
        read(source, "\r\n".join([*lines[:3], "images/b.png"]))


def test_blanks_before_quotes_are_passed_over(source: Path) -> None:
    text = '"path" , "label"\n"images/c, d.png" , "Mel"\nimages/b.png, "Nev"'
    assert read(source, text).names == ("images/c, d.png", "images/b.png")


@pytest.mark.parametrize("name", ["labels.tsv", "my labels.TSV"])
def test_a_table_may_be_called_by_its_tabs(source: Path, name: str) -> None:
    table = source / name
    table.write_text("path\tlabel\nimages/a.png\tMel\nimages/b.png\tNev\n")
    given = source if name == "labels.tsv" else table
    bundle = data.folder(data.Hashes(source.parent / "hashes"), source=str(given), size=8)
    assert (bundle.name, bundle.classes) == ("set", ("Mel", "Nev"))


def test_a_spreadsheet_under_the_name_of_a_table_is_told(source: Path) -> None:
    (source / "labels.csv").write_bytes(b"PK\x03\x04" + bytes(range(256)))
    with pytest.raises(BadInputError, match=r"labels.csv is a spreadsheet.*: save it as CSV UTF-8"):
        data.folder(data.Hashes(source.parent / "hashes"), source=str(source))


def test_what_a_wrong_byte_is_and_how_to_save_the_table_is_said(source: Path) -> None:
    with pytest.raises(BadInputError, match=r"line 2 has a byte that is 'é' .*CSV UTF-8.*iconv -f WINDOWS-1252"):
        read(source, "path,label\nimages/é.png,Mel", "cp1252")
    (source / "labels.csv").write_bytes("path,label\n".encode("utf-16") + b"x")
    with pytest.raises(BadInputError, match="UTF-16 and is damaged"):
        data.folder(data.Hashes(source.parent / "hashes"), source=str(source))


@pytest.mark.parametrize("labels", [("Mel", "Nev"), ("1.1", "1.10"), ("10", "1"), ("-1", "1"), ("C1", "C10")])
def test_names_that_differ_in_more_than_their_spelling_are_two_classes(source: Path, labels: tuple[str, str]) -> None:
    bundle = read(source, f"path,label\nimages/a.png,{labels[0]}\nimages/b.png,{labels[1]}")
    assert set(bundle.classes) == set(labels)


@pytest.mark.parametrize("content", [b"path,label\nimages/a.png,M\0l\nimages/b.png,Nev", b"\x89PNG\r\n", b"\0" * 999])
def test_what_is_no_text_is_refused(source: Path, content: bytes) -> None:
    (source / "labels.csv").write_bytes(content)
    with pytest.raises(BadInputError, match=f"{source}/labels.csv (is|has) (no|a).*: (add|save|correct)") as refusal:
        data.folder(data.Hashes(source.parent / "hashes"), source=str(source))
    assert "\n" not in str(refusal.value)


def test_a_table_that_may_not_be_read_is_refused(source: Path) -> None:
    (source / "labels.csv").mkdir()
    with pytest.raises(BadInputError, match=r"labels\.csv cannot be read: Is a directory"):
        data.folder(data.Hashes(source.parent / "hashes"), source=str(source))


def test_ten_missing_files_are_named_and_the_others_counted(source: Path) -> None:
    lines = [f"none{number:02}.png,Mel" for number in range(13)]
    with pytest.raises(BadInputError, match=r"13 missing files: none00.png, .*none09.png and 3 more"):
        read(source, "\n".join(["path,label", *lines]))
