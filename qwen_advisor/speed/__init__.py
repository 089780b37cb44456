"""Speed: how fast a candidate answers on a machine, predicted with a range."""

from qwen_advisor.speed.predict import speed

__all__ = ["speed"]
