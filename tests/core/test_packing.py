"""A walk as bytes: round trips, flat size, and refusal of anything that is not a walk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import a_walk

from chain_gateway.core.chain import Mode
from chain_gateway.core.packing import pack, unpack
from chain_gateway.core.walk import Hop, Hops, Kind, OpLogout, Outcome, Place, Walk

WALKS = st.builds(
    Walk,
    id=st.binary(min_size=16, max_size=16),
    kind=st.sampled_from(Kind),
    browser=st.binary(min_size=16, max_size=16),
    epoch=st.integers(0, 2**63),
    chain=st.text("abcdefghij-", max_size=32),
    hops=st.lists(
        st.builds(
            Hop,
            tag=st.binary(min_size=3, max_size=3),
            mode=st.sampled_from(Mode),
            required=st.booleans(),
            retries=st.integers(0, 15),
        ),
        max_size=200,
    ).map(lambda hops: Hops.of(tuple(hops))),
    nonce=st.binary(min_size=16, max_size=16),
    issued_at=st.integers(0, 2**32 - 1),
    expires_at=st.integers(0, 2**32 - 1),
    place=st.sampled_from(Place),
    cursor=st.just(0),
    attempt=st.integers(0, 255),
    redirects=st.integers(0, 255),
    budget=st.integers(0, 255),
    form_run=st.booleans(),
    op=st.sampled_from(OpLogout),
    silent=st.booleans(),
    app=st.binary(min_size=3, max_size=3),
    return_to=st.text("abc:/.?=&%", max_size=512),
)


@given(WALKS)
def test_a_walk_survives_packing(walk: Walk) -> None:
    """Every field comes back as it was."""
    assert unpack(pack(walk)) == walk


def test_the_size_is_flat() -> None:
    """The last step of a walk takes as many bytes as its first."""
    walk = a_walk(*(Mode.FORM_POST,) * 100)
    hops = walk.hops
    for index in range(100):
        hops = hops.settled(index, Outcome.APPLIED)
    done = walk._replace(hops=hops, cursor=100, place=Place.DONE)
    assert len(pack(done)) == len(pack(walk))


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    """Bytes of another origin raise ValueError, never anything else."""
    with pytest.raises(ValueError, match=r"."):
        unpack(data)


def test_a_walk_cut_short_or_lengthened_is_refused() -> None:
    """The lengths must add up."""
    data = pack(a_walk())
    for wrong in (data[:-1], data + b"\0", data[:40]):
        with pytest.raises(ValueError, match=r"."):
            unpack(wrong)


def test_one_outcome_is_set_without_touching_the_others() -> None:
    """`settled` and `with_mode` change one hop alone."""
    hops = a_walk(Mode.REDIRECT, Mode.REDIRECT, Mode.REDIRECT).hops
    changed = hops.settled(1, Outcome.STALE).with_mode(2, Mode.TWO_STEP)
    assert [changed.outcome(i) for i in range(3)] == [Outcome.PENDING, Outcome.STALE, Outcome.PENDING]
    assert [hop.mode for hop in changed] == [Mode.REDIRECT, Mode.REDIRECT, Mode.TWO_STEP]
    assert [hop.tag for hop in changed] == [hop.tag for hop in hops]
