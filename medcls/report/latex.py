"""Tables in LaTeX, for a document that loads the package booktabs."""

import re

from medcls.report.tables import Table
from medcls.utils.lazy import pandas
from medcls.utils.texts import printable

SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": "$<$",
        ">": "$>$",
        "±": r"$\pm$",
    }
)


def latex(table: Table) -> str:
    """Return a floating table in LaTeX: its title is the caption, and cells that a verdict singles out are bold."""
    frame = pandas.DataFrame(list(table.rows), columns=list(table.columns))
    styler = frame.style.hide(axis="index").format(escaped).format_index(escaped, axis="columns")
    for row, column in table.strong:
        styler = styler.map(lambda _: "textbf: --rwrap;", subset=(row, table.columns[column]))
    words = {table.columns[0], *table.texts}
    alignment = "".join("l" if column in words else "r" for column in table.columns)
    written: str = styler.to_latex(
        caption=escaped(table.title),
        column_format=alignment,
        hrules=True,
        position="htbp",
        position_float="centering",
    )
    return written


def escaped(text: str) -> str:
    """Return a text as LaTeX shows it: special characters are characters, and the sign of a number is a minus."""
    return re.sub(r"(?<!\S)-(?=\d)", "$-$", printable(text).translate(SPECIAL))
