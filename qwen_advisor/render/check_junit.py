"""The answer of ``check`` as JUnit XML, which every CI shows: a suite for each model, a case for each rule."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from qwen_advisor.gate.verdict import Gate, Ruling, Verdict


def junit(gate: Gate) -> str:
    """The XML as UTF-8 text. Warnings pass, with what they say as output."""
    root = Element("testsuites", name="qwen-advisor check")
    for verdict in gate.verdicts:
        _suite(root, verdict)
    _count(root, [item for verdict in gate.verdicts for item in verdict.rulings])
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(root: Element, verdict: Verdict) -> None:
    suite = SubElement(root, "testsuite", name=_harmless(verdict.model))
    _count(suite, verdict.rulings)
    for item in verdict.rulings:
        name = _harmless(f"{item.rule} {item.title}")
        case = SubElement(suite, "testcase", classname=_harmless(verdict.model), name=name)
        if item.place is not None:
            case.set("file", _harmless(item.place.file))
            case.set("line", str(item.place.line or 1))
        if item.level == "fail":
            failure = SubElement(case, "failure", message=_harmless(item.message), type=item.rule)
            failure.text = _harmless(_whole(item))
        elif item.level == "warn":
            SubElement(case, "system-out").text = _harmless(_whole(item))


def _count(element: Element, rulings: list[Ruling] | tuple[Ruling, ...]) -> None:
    failed = sum(item.level == "fail" for item in rulings)
    for name, number in (("tests", len(rulings)), ("failures", failed), ("errors", 0), ("skipped", 0)):
        element.set(name, str(number))


def _whole(item: Ruling) -> str:
    lines = [item.message]
    if item.needed is not None:
        lines.append(f"needed: {_number(item.needed)}")
    if item.available is not None:
        lines.append(f"available: {_number(item.available)}")
    return "\n".join([*lines, *(f"would hold with: {change}" for change in item.nearest)])


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _harmless(text: str) -> str:
    """Text that XML 1.0 can hold: what it forbids, and what would steer a terminal, is shown as its code."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
