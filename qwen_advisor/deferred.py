"""Dataclasses that are quick to define: a class gets its slots at once and each method at its first use.

``dataclasses.dataclass`` writes and compiles up to six methods for a class as it is defined, and one answer calls few
of them. What a deferred method does is what the standard library's does. Those that answers call (they make, compare
and hash values) are made here in a tenth of the time; the others are the standard library's own. Its ``fields``,
``asdict`` and ``is_dataclass`` take these classes as dataclasses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError
from functools import partial
from operator import attrgetter
from typing import Any

_FIELDS = "__dataclass_fields__"
_DESCRIBING = (_FIELDS, "__dataclass_params__")
_SHAPE = "__deferred_shape__"
_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")

Method = Callable[..., Any]


def dataclass(
    *, slots: bool, frozen: bool = False, kw_only: bool = False, order: bool = False, eq: bool = True
) -> Callable[[type], type]:
    """As `dataclasses.dataclass`; the class must want slots.

    A class that extends a dataclass is made by the standard library at once.
    """

    def define(declared: type) -> type:
        if not slots or any(hasattr(base, _FIELDS) for base in declared.__bases__):
            standard = dataclasses.dataclass(slots=slots, frozen=frozen, kw_only=kw_only, order=order, eq=eq)
            return standard(declared)
        return _Shape(declared, frozen=frozen, kw_only=kw_only, order=order, eq=eq).lay_out()

    return define


def replace(value: Any, /, **changes: Any) -> Any:
    """As `dataclasses.replace`, for a deferred dataclass."""
    cls = type(value)
    for name in getattr(cls, _SHAPE).names:
        if name not in changes:
            changes[name] = getattr(value, name)
    return cls(**changes)


def defaults(cls: type) -> dict[str, Callable[[], Any] | None]:
    """What makes the default of each field of a deferred dataclass, by name; None where there is none."""
    shape: _Shape = getattr(cls, _SHAPE)
    return {name: _maker(shape.declared_field(name)) for name in shape.names}


def _maker(declared: Field[Any]) -> Callable[[], Any] | None:
    if declared.default_factory is not MISSING:
        return declared.default_factory
    value = declared.default
    return None if value is MISSING else lambda: value


class _Shape:
    """What one class was declared as, and the methods that it has not been asked for yet."""

    __slots__ = ("declared", "eq", "frozen", "kw_only", "made", "names", "order", "twin")

    def __init__(self, declared: type, *, frozen: bool, kw_only: bool, order: bool, eq: bool) -> None:
        self.declared = declared
        self.frozen, self.kw_only, self.order, self.eq = frozen, kw_only, order, eq
        annotations = vars(declared).get("__annotations__", {})
        self.names = tuple(name for name, kind in annotations.items() if not str(kind).startswith("ClassVar"))
        self.made: type = declared
        self.twin: Any = None

    def lay_out(self) -> type:
        """The class with its slots, and a stand-in for each method."""
        own = self._namespace()
        space: dict[str, Any] = {key: value for key, value in own.items() if key not in self.names}
        space |= {"__slots__": self.names, "__qualname__": self.declared.__qualname__, _SHAPE: self}
        space |= {name: _OfTwin(self, name) for name in _DESCRIBING}
        space |= {"__getstate__": _state, "__setstate__": _restore}
        space["__init__"] = self._stand_in("__init__", self._initializer)
        if self.frozen:
            space |= {"__setattr__": _refuse_setting, "__delattr__": _refuse_deleting}
        for name in ("__repr__", *(("__eq__", "__hash__") if self.eq else ()), *(_ORDER if self.order else ())):
            if name == "__hash__" and not self.frozen:
                space[name] = None
            elif name not in own:
                make = {"__eq__": self._equality, "__hash__": self._hash}.get(name)
                space[name] = self._stand_in(name, make or partial(self._standard_method, name))
        self.made = type(self.declared)(self.declared.__name__, self.declared.__bases__, space)
        return self.made

    def declared_field(self, name: str) -> Field[Any]:
        """The field as it was declared."""
        given = vars(self.declared).get(name, MISSING)
        return given if isinstance(given, Field) else dataclasses.field(default=given)

    def standard(self) -> Any:
        """The same class as the standard library makes it."""
        if self.twin is None:
            twin = type(self.declared)(self.declared.__name__, self.declared.__bases__, self._namespace())
            make = dataclasses.dataclass(frozen=self.frozen, kw_only=self.kw_only, order=self.order, eq=self.eq)
            self.twin = make(twin)
        return self.twin

    def _compared(self) -> Callable[[Any], tuple[Any, ...]]:
        """What takes the fields that tell values apart."""
        names = [name for name in self.names if self.declared_field(name).compare]
        if len(names) > 1:
            return attrgetter(*names)
        return lambda value: tuple(getattr(value, name) for name in names)

    def _equality(self) -> Method:
        compared = self._compared()

        def equal(one: Any, other: Any) -> Any:
            return compared(one) == compared(other) if other.__class__ is one.__class__ else NotImplemented

        return equal

    def _hash(self) -> Method:
        compared = self._compared()
        return lambda value: hash(compared(value))

    def _standard_method(self, name: str) -> Method:
        method: Method = vars(self.standard())[name]
        return method

    def _namespace(self) -> dict[str, Any]:
        own = vars(self.declared)
        return {key: own[key] for key in own if key not in ("__dict__", "__weakref__")}

    def _stand_in(self, name: str, make: Callable[[], Method]) -> Method:
        def method(self_: Any, /, *arguments: Any, **named: Any) -> Any:
            real = make()
            setattr(self.made, name, real)
            return real(self_, *arguments, **named)

        return method

    def _initializer(self) -> Method:
        """``__init__`` by way of the slots, which a frozen class does not refuse and which is quicker."""
        parameters = ["self", *(("*",) if self.kw_only and self.names else ())]
        lines: list[str] = []
        scope: dict[str, Any] = {}
        for name in self.names:
            declared = self.declared_field(name)
            maker = _maker(declared)
            scope |= {f"_set_{name}": vars(self.made)[name].__set__, f"_new_{name}": maker, "_MISSING": MISSING}
            scope[f"_or_{name}"] = declared.default
            value = name if declared.default_factory is MISSING else f"_new_{name}() if {name} is _MISSING else {name}"
            if not declared.init:
                value = f"_new_{name}()"
            elif maker is None:
                parameters.append(name)
            else:
                parameters.append(f"{name}=_or_{name}")
            if declared.init or maker is not None:
                lines.append(f" _set_{name}(self, {value})")
        if hasattr(self.declared, "__post_init__"):
            lines.append(" self.__post_init__()")
        body = "\n".join(lines) or " pass"
        exec(f"def __init__({', '.join(parameters)}):\n{body}", scope)  # noqa: S102  field names of our own
        made: Method = scope["__init__"]
        made.__qualname__ = f"{self.declared.__qualname__}.__init__"
        return made


class _OfTwin:
    """What describes a dataclass, taken from the standard twin when somebody asks."""

    __slots__ = ("name", "shape")

    def __init__(self, shape: _Shape, name: str) -> None:
        self.shape, self.name = shape, name

    def __get__(self, instance: object, owner: type) -> Any:
        found = getattr(self.shape.standard(), self.name)
        setattr(self.shape.made, self.name, found)
        return found


def _refuse_setting(_: Any, name: str, __: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(_: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in getattr(type(self), _SHAPE).names]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(getattr(type(self), _SHAPE).names, state, strict=True):
        object.__setattr__(self, name, value)
