"""Deferred dataclasses behave as the standard library's, and its functions take them for such."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any, ClassVar

import pytest

from qwen_advisor import deferred
from qwen_advisor.deferred import defaults


def declare(dataclass: Any, **options: Any) -> type:
    @dataclass(slots=True, **options)
    class Point:
        """A point."""

        unit: ClassVar[str] = "m"
        x: int
        y: int = 2
        tags: list[str] = dataclasses.field(default_factory=list)
        hidden: int = dataclasses.field(default=7, repr=False, compare=False)
        sum: int = dataclasses.field(default=0, init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "sum", self.x + self.y)

        @property
        def far(self) -> bool:
            return self.x > 10

    return Point


OPTIONS = [{}, {"frozen": True}, {"kw_only": True}, {"frozen": True, "kw_only": True}, {"frozen": True, "order": True}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_does_what_the_standard_one_does(options):
    ours, theirs = declare(deferred.dataclass, **options), declare(dataclasses.dataclass, **options)
    one, other = ours(x=1), theirs(x=1)
    assert repr(one) == repr(other)
    assert dataclasses.asdict(one) == dataclasses.asdict(other)
    assert [f.name for f in dataclasses.fields(ours)] == [f.name for f in dataclasses.fields(theirs)]
    assert dataclasses.is_dataclass(one)
    assert one == ours(x=1, hidden=8) != ours(x=2)
    assert one != other
    assert (one.sum, one.tags, one.hidden, one.far, ours.unit) == (3, [], 7, False, "m")
    assert one.tags is not ours(x=1).tags
    assert not hasattr(one, "__dict__")
    assert ours.__qualname__ == theirs.__qualname__
    with pytest.raises(TypeError, match="missing 1 required"):
        ours()
    with pytest.raises(TypeError, match="unexpected keyword"):
        ours(x=1, z=2)


def test_keywords_only():
    with pytest.raises(TypeError, match="positional argument"):
        declare(deferred.dataclass, kw_only=True)(1)
    assert declare(deferred.dataclass)(1, 5).y == 5


def test_frozen_values_cannot_be_changed_and_can_be_hashed():
    frozen = declare(deferred.dataclass, frozen=True)
    value = frozen(x=1, tags=())
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        value.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del value.x
    assert hash(value) == hash(frozen(x=1, tags=()))
    assert hash(value) == hash(frozen(x=1, tags=(), hidden=9))
    assert len({value, frozen(x=1, tags=()), frozen(x=2, tags=())}) == 2


def test_others_can_be_changed_and_not_hashed():
    value = declare(deferred.dataclass)(x=1)
    value.x = 5
    assert value.x == 5
    with pytest.raises(TypeError, match="unhashable"):
        hash(value)


def test_order():
    ordered = declare(deferred.dataclass, frozen=True, order=True)
    assert ordered(x=1) < ordered(x=2) <= ordered(x=2)
    assert max(ordered(x=1), ordered(x=3), ordered(x=2)).x == 3


def test_replace_makes_another_and_runs_what_follows_init():
    @deferred.dataclass(slots=True, frozen=True, kw_only=True)
    class Box:
        side: int
        name: str = ""

        def __post_init__(self) -> None:
            if self.side < 0:
                raise ValueError("negative")

    box = Box(side=2, name="a")
    assert deferred.replace(box, side=3) == dataclasses.replace(box, side=3) == Box(side=3, name="a")
    with pytest.raises(ValueError, match="negative"):
        deferred.replace(box, side=-1)
    with pytest.raises(TypeError, match="unexpected keyword"):
        deferred.replace(box, edge=1)


@deferred.dataclass(slots=True, frozen=True, kw_only=True)
class Kept:
    name: str
    parts: tuple[int, ...] = ()


def test_values_are_pickled_and_copied():
    value = Kept(name="a", parts=(1, 2))
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == copy.copy(value) == value  # noqa: S301


def test_methods_of_its_own_stay():
    @deferred.dataclass(slots=True, frozen=True)
    class Named:
        name: str

        def __repr__(self) -> str:
            return f"<{self.name}>"

    assert repr(Named("a")) == "<a>"


def test_identity_where_equality_is_not_wanted():
    @deferred.dataclass(slots=True, frozen=True, eq=False)
    class Handle:
        number: int

    assert Handle(1) != Handle(1)
    assert len({Handle(1), Handle(1)}) == 2


def test_a_class_that_extends_one_is_the_standard_librarys():
    @deferred.dataclass(slots=True, frozen=True, kw_only=True)
    class More(Kept):
        size: int

    assert More(name="a", size=3) == More(name="a", size=3)
    assert [f.name for f in dataclasses.fields(More)] == ["name", "parts", "size"]


def test_nothing_is_compiled_before_it_is_used():
    cls = declare(deferred.dataclass, frozen=True)
    stand_in = vars(cls)["__init__"]
    cls(x=1)
    assert vars(cls)["__init__"] is not stand_in
    assert vars(cls)["__eq__"].__name__ == "method"


def test_defaults():
    made = defaults(declare(deferred.dataclass))
    assert made["x"] is None
    assert made["y"]() == 2
    assert made["tags"]() == []
