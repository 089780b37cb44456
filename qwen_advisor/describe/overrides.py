"""Single figures of a machine, replaced by what a person knows better."""

from __future__ import annotations

from qwen_advisor.describe.description import Description
from qwen_advisor.describe.hosts import with_cores
from qwen_advisor.errors import UsageError
from qwen_advisor.machine import Accelerator, Machine
from qwen_advisor.units import gib
from qwen_advisor.values import replace

MOST_NODES = 1024


def override(machine: Machine, said: Description) -> Machine:
    """The machine with cores, bandwidths, reserve and nodes as said. Memory and accelerators stay as they are.

    Raises:
        UsageError: a bandwidth is said of GPUs where there are none, or there are too many nodes.
    """
    sources = dict(machine.sources)
    cpu, memory, accelerators = machine.cpu, machine.memory, machine.accelerators
    if said.cpu_cores is not None:
        cpu = with_cores(cpu, said.cpu_cores, virtual=machine.virtual)
        sources["cpu.physical_cores"] = "--cpu-cores"
    if said.ram_bandwidth is not None:
        cpu = replace(cpu, memory_bandwidth=said.ram_bandwidth, memory_bandwidth_basis="measured")
        sources["cpu.memory_bandwidth"] = "--ram-bandwidth"
        accelerators = tuple(
            replace(a, memory_bandwidth=said.ram_bandwidth) if a.shared == a.memory else a for a in accelerators
        )
        # What was said of the figure before, and how to learn it, is settled.
        machine = replace(machine, notes=tuple(n for n in machine.notes if not n.startswith("memory bandwidth ")))
    if said.gpu_bandwidth is not None:
        if not accelerators:
            raise UsageError("--gpu-bandwidth says nothing of a machine without a GPU", hint="name one by --gpu")
        accelerators = tuple(replace(a, memory_bandwidth=said.gpu_bandwidth) for a in accelerators)
        sources |= {f"accelerators[{i}].memory_bandwidth": "--gpu-bandwidth" for i in range(len(accelerators))}
    if said.reserve is not None:
        why = f"{gib(said.reserve)} as asked by --reserve"
        memory = replace(memory, reserve=said.reserve, reserve_why=why)
        accelerators = tuple(_reserving(a, said.reserve, why) for a in accelerators)
        sources["memory.reserve"] = "--reserve"
    nodes = said.nodes if said.nodes != 1 else machine.nodes
    if nodes > MOST_NODES:
        raise UsageError(f"{nodes} nodes are more than are reckoned with", hint=f"ask for {MOST_NODES} at most")
    return replace(
        machine,
        cpu=cpu,
        memory=memory,
        accelerators=accelerators,
        nodes=nodes,
        interconnect=said.interconnect or machine.interconnect,
        sources=sources,
    )


def _reserving(accelerator: Accelerator, reserve: int, why: str) -> Accelerator:
    """Memory that is main memory keeps its reserve there."""
    if accelerator.shared == accelerator.memory:
        return accelerator
    return replace(accelerator, reserve=reserve, reserve_why=why)
