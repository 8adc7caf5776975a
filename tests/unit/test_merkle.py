"""The tree of the trail, against the published vectors of RFC 6962's reference log and against its own definition."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.merkle import Growing, inclusion_proof, leaf_hash, node_hash, proof_holds

# Entries and roots of the reference implementation of certificate transparency (merkletree test vectors).
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def grown(entries: list[bytes]) -> tuple[Growing, dict[tuple[int, int], bytes]]:
    tree, nodes = Growing(), {}
    for entry in entries:
        nodes |= {(level, number): digest for level, number, digest in tree.append(leaf_hash(entry))}
    return tree, nodes


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_are_those_of_the_reference_log(size: int) -> None:
    assert grown(ENTRIES[:size])[0].root().hex() == ROOTS[size]


def by_definition(entries: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return leaf_hash(entries[0])
    cut = 1 << (len(entries) - 1).bit_length() - 1
    return node_hash(by_definition(entries[:cut]), by_definition(entries[cut:]))


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
def test_every_leaf_is_proved_and_no_other_passes_for_it(entries: list[bytes], data: st.DataObject) -> None:
    tree, nodes = grown(entries)
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    root = by_definition(entries[:size])
    path = inclusion_proof(index, size, lambda level, number: nodes[level, number])
    leaf = leaf_hash(entries[index])
    assert tree.root() == by_definition(entries)
    assert proof_holds(leaf, index, size, path, root)
    assert not proof_holds(leaf_hash(entries[index] + b"!"), index, size, path, root)
    assert not proof_holds(leaf, index, size, (*path, leaf), root)
    assert not path or not proof_holds(leaf, index, size, path[:-1], root)
    assert not proof_holds(leaf, size, size, path, root)


@given(st.lists(st.binary(max_size=4), max_size=40), st.binary(max_size=4))
def test_a_tree_goes_on_from_its_edge(entries: list[bytes], more: bytes) -> None:
    tree, _ = grown(entries)
    resumed = Growing(tree.size, tree.edge)
    list(resumed.append(leaf_hash(more)))
    assert resumed.root() == by_definition([*entries, more])


def test_an_edge_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="2 subtrees"):
        Growing(3, (b"x" * 32,))
