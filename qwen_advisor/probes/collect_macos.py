"""Raw evidence on macOS: ``sysctl`` and its kin, and Metal in a process of its own."""

from __future__ import annotations

import sys
from functools import partial

from qwen_advisor.probes import asking
from qwen_advisor.probes.runner import PATIENT, QUICK, Gathered, Probe

# Asked with ctypes, so that no bridge to Objective-C need be installed; in a process of its own, so that a crash of
# the graphics stack is one note. CoreGraphics must be loaded for a command-line program to get the default device.
_METAL = """
import ctypes, json
objc = ctypes.CDLL("/usr/lib/libobjc.A.dylib")
ctypes.CDLL("/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics")
metal = ctypes.CDLL("/System/Library/Frameworks/Metal.framework/Metal")
metal.MTLCreateSystemDefaultDevice.restype = ctypes.c_void_p
objc.sel_registerName.restype = ctypes.c_void_p
objc.sel_registerName.argtypes = [ctypes.c_char_p]
send = objc["objc_msgSend"]
def ask(target, selector, kind):
    call = ctypes.CFUNCTYPE(kind, ctypes.c_void_p, ctypes.c_void_p)(ctypes.cast(send, ctypes.c_void_p).value)
    return call(target, objc.sel_registerName(selector))
device = metal.MTLCreateSystemDefaultDevice()
name = ask(ask(device, b"name", ctypes.c_void_p), b"UTF8String", ctypes.c_char_p).decode()
values = {"name": name}
for key in ("recommendedMaxWorkingSetSize", "currentAllocatedSize"):
    values[key] = ask(device, key.encode(), ctypes.c_uint64)
print(json.dumps(values))
"""


def probes() -> dict[str, Probe]:
    """What to ask."""
    asked = {
        "sysctl": Probe(
            partial(_command, ["sysctl", "hw", "machdep.cpu", "kern.hv_vmm_present", "kern.osproductversion"])
        ),
        "sysctl iogpu": Probe(partial(_command, ["sysctl", "iogpu"])),
        "vm_stat": Probe(partial(_command, ["vm_stat"])),
        "ioreg": Probe(partial(_command, ["ioreg", "-r", "-d", "1", "-c", "AGXAccelerator"])),
        "Metal": Probe(_metal, PATIENT),
    }
    server = asking.where("llama-server", "/opt/homebrew/bin/llama-server")
    if server is not None:
        label = "llama-server --list-devices"
        ask = partial(asking.command, [server, "--list-devices"], limit=PATIENT / 2, label=label, errors=True)
        asked[label] = Probe(ask, PATIENT)
    return asked


def _command(words: list[str]) -> Gathered:
    return asking.command(words, limit=QUICK)


def _metal() -> Gathered:
    return asking.command([sys.executable, "-I", "-S", "-c", _METAL], limit=PATIENT / 2, label="metal")
