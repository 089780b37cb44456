"""Fine-tuning by arithmetic: what a run takes of memory and time, and what to change where it does not fit."""

from __future__ import annotations

from qwen_advisor.training.choice import Choice, TrainingAdvice, choose
from qwen_advisor.training.memory import TrainingMemory, TrainingPart, training_memory
from qwen_advisor.training.plan import TrainingPlan, plan_training
from qwen_advisor.training.remedies import Remedy
from qwen_advisor.training.settings import Training

__all__ = [
    "Choice",
    "Remedy",
    "Training",
    "TrainingAdvice",
    "TrainingMemory",
    "TrainingPart",
    "TrainingPlan",
    "choose",
    "plan_training",
    "training_memory",
]
