"""A fleet: an inventory of machines, each with its pick, over all cores or over a Ray cluster."""

from __future__ import annotations

from qwen_advisor.fleet.answering import Answered, answers
from qwen_advisor.fleet.inventory import Faulty, Inventory, Row, read_inventory
from qwen_advisor.fleet.picks import Answer, Fault, Nothing, Pick
from qwen_advisor.fleet.summary import Summary

__all__ = [
    "Answer",
    "Answered",
    "Fault",
    "Faulty",
    "Inventory",
    "Nothing",
    "Pick",
    "Row",
    "Summary",
    "answers",
    "read_inventory",
]
