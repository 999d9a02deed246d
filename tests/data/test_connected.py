"""Groups of what belongs together, against the transitive closure of the pairs, computed by brute force."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from medcls.data.quality.connected import smallest_connected
from medcls.data.quality.scan import linked

COUNT = 9
PAIRS = st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)), max_size=12)
CONTENTS = st.lists(st.sampled_from(["", *"abcdefgh"]), min_size=1, max_size=12)
LINKS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=6)


def reachable(count: int, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Return which items chains of pairs connect, of shape (count, count)."""
    closure = np.eye(count, dtype=bool)
    for one, other in pairs:
        closure[one, other] = closure[other, one] = True
    for middle in range(count):
        closure |= closure[:, [middle]] & closure[[middle], :]
    return closure


@given(PAIRS)
def test_the_smallest_of_each_group_is_that_of_the_closure(pairs: list[tuple[int, int]]) -> None:
    expected = reachable(COUNT, pairs).argmax(axis=1)
    found = smallest_connected(COUNT, np.array(pairs, np.int64).reshape(-1, 2))
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


@given(CONTENTS, LINKS)
def test_contents_are_grouped_as_by_the_closure_in_the_order_of_the_alphabet(
    contents: list[str], links: list[tuple[str, str]]
) -> None:
    names = [content or f"unreadable {row}" for row, content in enumerate(contents)]
    order = sorted({*names, *(name for link in links for name in link)})
    closure = reachable(len(order), [(order.index(one), order.index(other)) for one, other in links])
    first = [order[closure[order.index(name)].argmax()] for name in names]
    expected = [sorted(set(first)).index(name) for name in first]
    assert linked(contents, links).tolist() == expected
