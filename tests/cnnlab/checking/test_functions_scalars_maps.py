"""The public functions of the gradient lesson: scalars are smooth and see every entry, adjoints are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from cnnlab.checking.functions import FUNCTIONS, maps, named, scalars

SHAPES = {"slide": (7,), "turn": (3, 4), "frame": (3, 4), "copies": (2, 5)}
RIGHT = {f"{name}_adjoint" for name in SHAPES}


@pytest.mark.parametrize("name", scalars.FUNCTIONS)
@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3), (2, 1, 2, 2)])
def test_a_scalar_is_one_float_that_depends_on_every_entry(name: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    before = x.copy()
    value = named(name)(x)
    assert type(value) is float and named(name)(x) == value
    assert np.array_equal(x, before)
    for i in np.ndindex(shape):
        moved = x.copy()
        moved[i] += 0.1
        assert named(name)(moved) != value


@pytest.mark.parametrize("name", maps.FUNCTIONS)
def test_an_adjoint_passes_the_adjoint_identity_where_its_name_says_no_more(name: str) -> None:
    forward = name.split("_")[0]
    rng = np.random.default_rng(1)
    x = rng.normal(size=SHAPES[forward])
    y = rng.normal(size=named(forward)(x).shape)
    if name == forward:
        assert np.allclose(named(name)(2 * x - 3 * x**2), 2 * named(name)(x) - 3 * named(name)(x**2))
        return
    back = named(name)(y)
    assert back.shape == x.shape
    equal = np.isclose(np.sum(named(forward)(x) * y), np.sum(x * back), rtol=1e-12)
    assert equal == (name in RIGHT)


def test_the_names_are_distinct_from_the_other_public_functions() -> None:
    assert not set(scalars.FUNCTIONS) & set(maps.FUNCTIONS)
    assert {**scalars.FUNCTIONS, **maps.FUNCTIONS}.items() <= FUNCTIONS.items()
