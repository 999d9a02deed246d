"""Tables in Markdown."""

from collections.abc import Iterable

from medcls.report.tables import Table
from medcls.utils.texts import printable


def markdown(table: Table) -> str:
    """Return a table in Markdown, its numbers aligned to the right and the cells that a verdict singles out in bold."""
    numbers = set(table.columns[1:]) - table.texts
    rules = ["---:" if column in numbers else "---" for column in table.columns]
    lines = [_line(table.columns), _line(rules)]
    for row, cells in enumerate(table.rows):
        shown = []
        for column, cell in enumerate(cells):
            shown.append(f"**{_cell(cell)}**" if (row, column) in table.strong else _cell(cell))
        lines.append(_line(shown))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Return a text as a table of Markdown holds it: in one line, without bars."""
    return printable(text).replace("|", "\\|")
