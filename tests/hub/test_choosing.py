"""Which files ``pull`` means where no quantization was named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qwen_advisor import load_catalog
from qwen_advisor.cli.pull_choice import Choice, choose_by_machine
from qwen_advisor.describe import Description, describe
from qwen_advisor.errors import NothingFits
from qwen_advisor.machine import Machine

Call = Callable[..., Any]


class TestChoosing:
    @pytest.fixture
    def machine(self) -> Machine:
        return describe(load_catalog(), Description(gpus=("RTX 4090",)))

    def choice(self, model: str, machine: Machine, **more: Any) -> Choice:
        catalog = load_catalog()
        given = {"engine": None, "task": None, "context": None, "calibration": {}} | more
        return choose_by_machine(catalog, catalog.models[model], machine, **given)

    def test_every_fourth_model_has_files_or_is_too_large(self, machine: Machine) -> None:
        small, refused = 0, []
        for model in list(load_catalog().models.values())[::4]:
            try:
                choice = self.choice(model.id, machine)
            except NothingFits:
                refused.append(model.parameters_total or 0)
                continue
            assert choice.repo or choice.tag
            small += 1
        assert small >= 48
        assert min(refused) > 7e9

    @pytest.mark.parametrize(
        ("model", "task"),
        [("Qwen/Qwen3-8B-Base", None), ("Qwen/Qwen-Image", None), ("Qwen/Qwen2.5-Math-PRM-7B", None)],
    )
    def test_what_answers_no_task_is_taken_as_it_is(self, model: str, task: str | None, machine: Machine) -> None:
        choice = self.choice(model, machine, task=task)
        assert (choice.repo, choice.quantization, choice.files) == (model, "BF16", ())

    def test_what_fits_a_smaller_machine_is_smaller(self, machine: Machine) -> None:
        small = describe(load_catalog(), Description(ram=6 << 30))
        assert self.choice("Qwen/Qwen3-8B", small).bytes < self.choice("Qwen/Qwen3-8B", machine).bytes

    def test_too_large_for_the_machine(self, machine: Machine) -> None:
        with pytest.raises(NothingFits, match=r"fits here: .* needs 1\d\d GiB"):
            self.choice("Qwen/Qwen3-VL-235B-A22B-Instruct", machine)

    def test_the_engine_that_was_asked_for(self, machine: Machine) -> None:
        choice = self.choice("Qwen/Qwen3-8B", machine, engine="vllm")
        assert (choice.engine, choice.container) == ("vllm", "safetensors")
