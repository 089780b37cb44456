"""Lay a candidate on a machine: the best placement of its weights, or by how much it does not fit."""

from __future__ import annotations

from qwen_advisor.fit.fitter import Calibration, Fitted, Fitter, Shortfall
from qwen_advisor.fit.pools import FULL, Room, room
from qwen_advisor.fit.settings import settings_for

__all__ = ["FULL", "Calibration", "Fitted", "Fitter", "Room", "Shortfall", "room", "settings_for"]
