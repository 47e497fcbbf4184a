"""Matches the elements of a list before and after a change. Pure. Called by the diff. In a set, elements
match by key, then by equal content, then by the most similar content. In an ordered list, matched elements
have the same order on both sides.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from snapshots.canonical.form import canonical_bytes
from snapshots.catalog.places import ELEMENT, Path

Pair = tuple[int, int]
"""The positions of one element, before and after."""

SIMILAR = 0.5
"""Elements that share at most this fraction of their content are different elements."""
COMPARED_PAIRS = 4096
"""Up to this many pairs, all are compared; beyond that, only elements that share a rare value."""
RARE = 32
"""A value is rare if at most this many elements contain it."""
EQUAL_PAIRS = 500_000
"""Ordered lists that repeat the same elements more often than this are compared by position."""

_IDENTIFYING = re.compile(r"(?:^|[a-z])(?:id|key|name|uri)$", re.IGNORECASE)
_IDENTIFYING_WEIGHT = 4.0
_NOBODY = frozenset({"", "00000000-0000-0000-0000-000000000000"})

_Leaf = tuple[Path, bytes]


def match_set(
    before: Sequence[Any],
    after: Sequence[Any],
    old: Sequence[Hashable | None],
    new: Sequence[Hashable | None],
) -> list[Pair]:
    """Pairs of a set's elements, in the order of `after`. `old` and `new` are the keys of the elements, if
    any.
    """
    pairs = _by_unique_key(old, new)
    rest_before, rest_after = _unpaired(before, after, pairs)
    equal = _by_content(before, after, rest_before, rest_after)
    pairs += equal
    rest_before, rest_after = _unpaired(before, after, pairs)
    keyless_before = [index for index in rest_before if old[index] is None]
    keyless_after = [index for index in rest_after if new[index] is None]
    pairs += _by_similarity(before, after, keyless_before, keyless_after)
    return sorted(pairs, key=lambda pair: pair[1])


def align(before: Sequence[Any], after: Sequence[Any]) -> list[Pair]:
    """Pairs of an ordered list's elements: no two of them cross."""
    old, new = [canonical_bytes(each) for each in before], [canonical_bytes(each) for each in after]
    start = _common_prefix(old, new)
    end = _common_prefix(old[start:][::-1], new[start:][::-1])
    equal = _longest_common(old[start : len(old) - end], new[start : len(new) - end])
    anchors = [(start + one, start + other) for one, other in equal]
    pairs = [(index, index) for index in range(start)]
    row, column = start, start
    for old_anchor, new_anchor in (*anchors, (len(old) - end, len(new) - end)):
        pairs += _in_order(before, after, range(row, old_anchor), range(column, new_anchor))
        pairs.append((old_anchor, new_anchor))
        row, column = old_anchor + 1, new_anchor + 1
    pairs.pop()
    return pairs + [(len(old) - end + index, len(new) - end + index) for index in range(end)]


def _longest_common(old: Sequence[bytes], new: Sequence[bytes]) -> list[Pair]:
    """The longest common subsequence; empty if there are too many repeated elements."""
    places: dict[bytes, list[int]] = defaultdict(list)
    for index, content in enumerate(old):
        places[content].append(index)
    if sum(len(places.get(content, ())) for content in new) > EQUAL_PAIRS:
        return []
    return _longest_rising(
        [
            (position, index)
            for index, content in enumerate(new)
            for position in reversed(places.get(content, ()))
        ]
    )


def staying(pairs: Sequence[Pair], before: Sequence[Any], after: Sequence[Any]) -> list[Pair]:
    """Of the pairs (in the order of `after`), those that can stay in place while the others move: as many as
    possible, preferring unchanged elements.
    """
    equal = {pair for pair in pairs if canonical_bytes(before[pair[0]]) == canonical_bytes(after[pair[1]])}
    unchanged = _longest_rising([pair for pair in pairs if pair in equal])
    anchors = [(-1, -1), *unchanged, (len(before), len(after))]
    settled = set(unchanged)
    position, fitting = 0, []
    for pair in pairs:
        while anchors[position + 1][1] <= pair[1]:
            position += 1
        inside = anchors[position][0] < pair[0] < anchors[position + 1][0]
        if pair in settled or (inside and pair not in equal):
            fitting.append(pair)
    return _longest_rising(fitting)


def _unpaired(
    before: Sequence[Any], after: Sequence[Any], pairs: Sequence[Pair]
) -> tuple[list[int], list[int]]:
    old, new = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    return (
        [index for index in range(len(before)) if index not in old],
        [index for index in range(len(after)) if index not in new],
    )


def _by_unique_key(old: Sequence[Hashable | None], new: Sequence[Hashable | None]) -> list[Pair]:
    count_old, count_new = Counter(old), Counter(new)
    position = {key: index for index, key in enumerate(old) if key is not None and count_old[key] == 1}
    return [
        (position[key], index) for index, key in enumerate(new) if key in position and count_new[key] == 1
    ]


def _by_content(
    before: Sequence[Any], after: Sequence[Any], rest_before: Sequence[int], rest_after: Sequence[int]
) -> list[Pair]:
    places = defaultdict(list)
    for index in reversed(rest_before):
        places[canonical_bytes(before[index])].append(index)
    pairs = []
    for index in rest_after:
        same = places.get(canonical_bytes(after[index]))
        if same:
            pairs.append((same.pop(), index))
    return pairs


def _by_similarity(
    before: Sequence[Any], after: Sequence[Any], rest_before: Sequence[int], rest_after: Sequence[int]
) -> list[Pair]:
    """Most similar first. Scalar values are either equal or different, never similar."""
    olds = {index: _leaves(before[index]) for index in rest_before if _has_parts(before[index])}
    news = {index: _leaves(after[index]) for index in rest_after if _has_parts(after[index])}
    if not olds or not news:
        return []
    frequency = Counter(leaf for each in (*before, *after) if _has_parts(each) for leaf in _leaves(each))
    weight = _Weights(frequency)
    holders: dict[_Leaf, list[int]] = defaultdict(list)
    for index, leaves in news.items():
        for leaf in leaves:
            holders[leaf].append(index)
    limit = len(news) if len(olds) * len(news) <= COMPARED_PAIRS else RARE
    candidates = []
    for old, leaves in olds.items():
        near = {
            new for leaf in leaves if len(holders.get(leaf, ())) <= limit for new in holders.get(leaf, ())
        }
        for new in near:
            similarity = weight.similarity(leaves, news[new])
            if similarity > SIMILAR:
                candidates.append((-similarity, abs(old - new), old, new))
    pairs, taken_old, taken_new = [], set(), set()
    for _, _, old, new in sorted(candidates):
        if old not in taken_old and new not in taken_new:
            pairs.append((old, new))
            taken_old.add(old)
            taken_new.add(new)
    return pairs


def _in_order(before: Sequence[Any], after: Sequence[Any], rows: range, columns: range) -> list[Pair]:
    """In a range without equal elements: the pairs with the highest total similarity that do not cross. A
    scalar at the position of another one has replaced it.
    """
    if len(rows) * len(columns) > COMPARED_PAIRS:
        return list(zip(rows, columns, strict=False))
    olds, news = [_leaves(before[row]) for row in rows], [_leaves(after[column]) for column in columns]
    weight = _Weights(Counter(leaf for leaves in (*olds, *news) for leaf in leaves))
    height, width = len(rows), len(columns)
    gains = [[0.0] * (width + 1) for _ in range(height + 1)]
    gain = [[0.0] * width for _ in range(height)]
    for row in reversed(range(height)):
        for column in reversed(range(width)):
            one, other = before[rows[row]], after[columns[column]]
            if _has_parts(one) and _has_parts(other):
                similarity = weight.similarity(olds[row], news[column])
                gain[row][column] = similarity if similarity > SIMILAR else 0.0
            else:
                gain[row][column] = 0.0 if _has_parts(one) or _has_parts(other) else 0.1
            paired = gain[row][column] + gains[row + 1][column + 1]
            gains[row][column] = max(paired, gains[row + 1][column], gains[row][column + 1])
    pairs, row, column = [], 0, 0
    while row < height and column < width:
        if gain[row][column] and gains[row][column] == gain[row][column] + gains[row + 1][column + 1]:
            pairs.append((rows[row], columns[column]))
            row, column = row + 1, column + 1
        elif gains[row][column] == gains[row + 1][column]:
            row += 1
        else:
            column += 1
    return pairs


class _Weights:
    """The weight of a shared value: identifiers weigh more, values common to all elements weigh little."""

    def __init__(self, frequency: Counter[_Leaf]) -> None:
        self._frequency = frequency

    def similarity(self, one: frozenset[_Leaf], other: frozenset[_Leaf]) -> float:
        """From 0 to 1: the shared fraction of the content of both."""
        total = sum(map(self._of, one)) + sum(map(self._of, other))
        return 2 * sum(map(self._of, one & other)) / total if total else 0.0

    def _of(self, leaf: _Leaf) -> float:
        path, value = leaf
        names = [step for step in path if step != ELEMENT]
        identifies = bool(names) and _IDENTIFYING.search(names[-1]) and value[1:-1].decode() not in _NOBODY
        return (_IDENTIFYING_WEIGHT if identifies else 1.0) / max(1.0, self._frequency[leaf] / 2)


def _has_parts(value: Any) -> bool:
    return isinstance(value, dict | list)


def _leaves(value: Any) -> frozenset[_Leaf]:
    return frozenset(_walk(value, ()))


def _walk(value: Any, path: Path) -> Iterator[_Leaf]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _walk(inner, (*path, key))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _walk(inner, (*path, ELEMENT))
    else:
        yield path, canonical_bytes(value)


def _common_prefix(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return length


def _longest_rising(pairs: Sequence[Pair]) -> list[Pair]:
    """The longest subsequence of the pairs (ordered by `after`) that is also ordered by `before`."""
    ends: list[int] = []
    last: list[int] = []
    previous: list[int] = []
    for index, (old, _) in enumerate(pairs):
        length = bisect_left(ends, old)
        previous.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(old)
            last.append(index)
        else:
            ends[length], last[length] = old, index
    chain, index = [], last[-1] if last else -1
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]
