"""Runs compiled programs with weights and inputs on the device meta, and watches every operation for tensors elsewhere.

Meta alone is not enough: some operations take a tensor on the CPU beside those on meta without a word. Tensors of no
dimension may be on the CPU, for they go with those of any device.

Reads lines of JSON: a program's name, its file, and the shape and type of each input. Prints what is elsewhere.
"""

import json
import sys

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

torch._C._jit_set_texpr_fuser_enabled(False)


class Watch(TorchDispatchMode):
    """Notes the operations that take or make a tensor elsewhere."""

    def __init__(self):
        super().__init__()
        self.elsewhere = {}
        self.operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        self.operations += 1
        for tensor in tree_leaves((args, kwargs, made)):
            if isinstance(tensor, torch.Tensor) and tensor.dim() > 0 and tensor.device.type != "meta":
                self.elsewhere[str(func)] = str(tensor.device)
        return made


def faults(case):
    module = torch.jit.load(case["program"], map_location="meta")
    inputs = [torch.empty(one["shape"], dtype=getattr(torch, one["type"]), device="meta") for one in case["inputs"]]
    watch = Watch()
    failure = []
    try:
        with torch.no_grad(), torch.jit.optimized_execution(False), watch:
            module(*inputs)
    except RuntimeError as error:
        lines = str(error).strip().splitlines()
        failure = ["failed: " + next((line for line in lines if line.startswith("RuntimeError: ")), lines[0])]
    if watch.operations == 0:
        failure.append("no operation was seen")
    elsewhere = [f"{operation} on {device}" for operation, device in watch.elsewhere.items()]
    return (elsewhere or failure), watch.operations


cases = [json.loads(line) for line in open(sys.argv[1])]
total = 0
for case in cases:
    found, operations = faults(case)
    total += operations
    if found:
        print(f"{case['name']}: {', '.join(found)}")
print(f"{len(cases)} programs ran on meta, {total} operations")
