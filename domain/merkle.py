"""A Merkle tree that only grows, as transparency logs keep it (RFC 9162, section 2.1, SHA-256). Pure arithmetic.

Knows no store: who appends keeps the finished nodes that `Growing.append` hands out, by level (0: leaves) and number
(from the left, from 0), and gives them back through `NodeAt` when a proof is wanted. Ours because the maintained
library for it (pymerkle) is under the GPL, which this project's licence cannot take in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

DIGEST_BYTES = 32
NodeAt = Callable[[int, int], bytes]  # (level, number) -> digest of a finished node


def leaf_hash(content: bytes) -> bytes:
    """Digest of one entry. The leading byte keeps an entry from being passed off as an inner node."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Digest of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Growing:
    """The right edge of a tree: enough to append to it and to name its root. At most 64 digests."""

    def __init__(self, size: int = 0, edge: Sequence[bytes] = ()) -> None:
        """`edge`: digests of the finished subtrees, largest first, one a set bit of `size`. Raises ValueError."""
        if size < 0 or len(edge) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {max(size, 0).bit_count()} subtrees, not {len(edge)}")
        self.size = size
        self._edge = list(edge)

    @property
    def edge(self) -> tuple[bytes, ...]:
        """What the constructor takes to go on from here."""
        return tuple(self._edge)

    def append(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Add a leaf; yields each node that it finishes, as (level, number, digest), the leaf first.

        The tree has grown when the iterator is exhausted.
        """
        level, number, digest = 0, self.size, leaf
        yield level, number, digest
        while number & 1:
            digest = node_hash(self._edge.pop(), digest)
            level, number = level + 1, number >> 1
            yield level, number, digest
        self._edge.append(digest)
        self.size += 1

    def root(self) -> bytes:
        """Digest that stands for every leaf in its place; that of nothing for an empty tree."""
        if not self._edge:
            return hashlib.sha256(b"").digest()
        digest = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            digest = node_hash(left, digest)
        return digest


def inclusion_proof(index: int, size: int, node_at: NodeAt) -> tuple[bytes, ...]:
    """Siblings from leaf `index` up to the root of the first `size` leaves (RFC 9162, 2.1.3.1). Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path = []
    level, number = 0, index
    while (1 << level) < size:
        sibling = number ^ 1
        if sibling << level < size:
            path.append(_subtree(level, sibling, size, node_at))
        level, number = level + 1, number >> 1
    return tuple(path)


def proof_holds(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` leads from `leaf` at `index` to `root` of a tree of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    number, last, digest = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if number & 1 or number == last:
            digest = node_hash(sibling, digest)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            digest = node_hash(digest, sibling)
        number, last = number >> 1, last >> 1
    return last == 0 and digest == root


def _subtree(level: int, number: int, size: int, node_at: NodeAt) -> bytes:
    """Digest of the leaves from number << level on, as many of them as there are."""
    if (number + 1) << level <= size:
        return node_at(level, number)
    left = 2 * number
    if (left + 1) << (level - 1) >= size:
        return _subtree(level - 1, left, size, node_at)
    return node_hash(node_at(level - 1, left), _subtree(level - 1, left + 1, size, node_at))
