"""Look-up tables inside DICOM files: whatever their depth, their packing and the claims of their descriptors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

WORD = 2**16
SHALLOWEST = 8  # bits: a table has no fewer
SPARE = 2  # bits by which a table may fall short of its descriptor before the descriptor is taken for wrong
COLOURS = ("Red", "Green", "Blue")


class TableError(Exception):
    """A look-up table that its own descriptor does not fit: what is wrong with it."""


@dataclass(frozen=True)
class Table:
    """A look-up table.

    Attributes:
        entries: of shape (entries,), int64.
        first: the value that the first entry is for.
        bits: how many bits an entry has, by the descriptor.
    """

    entries: NDArray[np.int64]
    first: int
    bits: int

    def of(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return the entry of every value; values outside of the table take the entry at its nearer end."""
        positions = np.clip(np.rint(values).astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return np.asarray(self.entries[positions])


def white(tables: Sequence[Table]) -> int:
    """Return the value of white in tables that belong together.

    It is what the descriptor says, unless the entries exceed it, or stay below a quarter of it: then the descriptor
    states the size of an entry in the file, and the entries' own depth counts.
    """
    largest = max(int(table.entries.max()) for table in tables)
    bits = max(SHALLOWEST, largest.bit_length())
    stated = tables[0].bits
    return int(2 ** (stated if 0 <= stated - bits < SPARE else bits) - 1)


def table_in(item: "Dataset", *, little_endian: bool, signed: bool) -> Table:
    """Return the table of an item of a Modality or VOI LUT Sequence.

    Args:
        item: it holds LUTDescriptor and LUTData.
        little_endian: the order of the bytes in the file.
        signed: whether the values to look up may be negative.

    Raises:
        TableError: there are fewer entries than the descriptor says.
    """
    return _table(item.LUTDescriptor, item["LUTData"].value, little_endian=little_endian, signed=signed)


def palette_in(data: "Dataset", *, little_endian: bool) -> list[Table]:
    """Return the tables of red, green and blue that a file's palette has.

    Raises:
        TableError: there are fewer entries than a descriptor says.
    """
    name = "{}PaletteColorLookupTable{}"
    tables = []
    for colour in COLOURS:
        descriptor, stored = data[name.format(colour, "Descriptor")].value, data[name.format(colour, "Data")].value
        signed = bool(data.PixelRepresentation)
        tables.append(_table(descriptor, stored, little_endian=little_endian, signed=signed))
    return tables


def _table(descriptor: Sequence[int], stored: bytes | Sequence[int], *, little_endian: bool, signed: bool) -> Table:
    count, first, bits = (int(value) % WORD for value in descriptor)  # a count may have been read as a negative number
    count = count or WORD
    entries = _entries(_words(stored, little_endian=little_endian), count, bits)
    return Table(entries, first - WORD if signed and first >= WORD // 2 else first, bits)


def _words(stored: bytes | Sequence[int], *, little_endian: bool) -> NDArray[np.int64]:
    """Return what a table's data are as 16-bit words, be they bytes or numbers."""
    if isinstance(stored, bytes):
        padded = stored + b"\0" * (len(stored) % 2)
        return np.frombuffer(padded, "<u2" if little_endian else ">u2").astype(np.int64)
    return np.atleast_1d(np.asarray(stored, np.int64)) % WORD


def _entries(words: NDArray[np.int64], count: int, bits: int) -> NDArray[np.int64]:
    if len(words) >= count:
        return words[:count]
    if bits == SHALLOWEST and 2 * len(words) >= count:  # two entries a word, the lower byte first
        return np.stack([words % 256, words // 256], axis=1).ravel()[:count]
    raise TableError(f"a look-up table of {count} entries holds {len(words)}")
