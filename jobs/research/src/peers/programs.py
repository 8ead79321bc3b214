"""Runs compiled programs in Python's PyTorch against the golden numbers, and times them beside diffusers.

usage: programs.py [--device cuda] [--dtype float32 bfloat16 float16] [--rounds N] [--full-size]

Every network of udfs/src/test/resources/golden is compiled by ./latentmix and run on the device. Its outputs are
compared with those of the golden file, which diffusers and transformers computed in float32 on a CPU. Then the U-Net of
the demo is timed beside diffusers' on the same weights; with --full-size that of Stable Diffusion 1.5 too, with random
weights (8 GB of disk).

The exit code is 1 where an output is farther from the golden one than its bound, as a share of the largest value. The
bounds are those of ./latentmix doctor: 0.004 for float32, whose matrix products may be TF32's, and for float16, 0.032
for bfloat16.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from safetensors.torch import load_file

from compare import NETWORKS, OURS, ROOT

GOLDEN = ROOT / "udfs/src/test/resources/golden"
BOUNDS = {"float32": 0.004, "float16": 0.004, "bfloat16": 0.032}
UNET = ["sample", "timestep", "encoder_hidden_states", "text_embeds", "time_ids", "timestep_cond"]
# of each program: its inputs, those that a network lacks left out, and its first outputs
PROGRAMS = {
    "UNet2DConditionModel": {"denoiser": (UNET, ["out"])},
    "SD3Transformer2DModel": {
        "denoiser": (["hidden_states", "timestep", "encoder_hidden_states", "pooled_projections"], ["out"])},
    "DiTTransformer2DModel": {"denoiser": (["hidden_states", "timestep", "class_labels"], ["out"])},
    "AutoencoderKL": {"encoder": (["image"], ["mean", "logvar"]), "decoder": (["dec.latent"], ["dec.image"])},
    "CLIPTextModel": {"text_encoder": (["input_ids", "attention_mask"], ["last_hidden_state"])},
    "CLIPTextModelWithProjection": {"text_encoder": (["input_ids", "attention_mask"], ["last_hidden_state"])},
    "T5EncoderModel": {"text_encoder": (["input_ids", "attention_mask"], ["last_hidden_state"])},
    "CLIPVisionModelWithProjection": {"image_encoder": (["pixel_values"], ["image_embeds"])},
}


def compiled(component, dtype):
    """The programs of a component by their parts' names."""
    said = subprocess.run(
        [OURS, "model", "compile", component, "--dtype", dtype], check=True, capture_output=True, text=True).stdout
    lines = [line.split() for line in said.splitlines() if line.endswith(".pt")]
    return {line[0].rsplit("/", 1)[1].replace("-", "_"): line[-1] for line in lines}


def loaded(program, device):
    torch._C._jit_set_texpr_fuser_enabled(False)
    return torch.jit.load(program, map_location=device).eval()


def run(program, inputs):
    """As the job runs it: without gradients, and without TorchScript's profiling."""
    with torch.inference_mode(), torch.jit.optimized_execution(False):
        made = program(*inputs)
    return list(made) if isinstance(made, (list, tuple)) else [made]


def cases(tensors, inputs, outputs):
    """The cases of a golden file that have the first of these inputs and of these outputs, as prefixes of names."""
    ends = [name.removesuffix(outputs[0]) for name in tensors if f".{name}".endswith(f".{outputs[0]}")]
    return [case for case in ends if case + inputs[0] in tensors]


def golden(folder, dtype, device):
    """The largest distance of a network's outputs from the golden ones, and how many were compared."""
    config = json.loads((folder / "config.json").read_text())
    kind = config.get("_class_name") or config["architectures"][0]
    tensors = load_file(folder / "golden.safetensors")
    programs = compiled(folder, dtype)
    worst, compared = 0.0, 0
    for part, (names, outputs) in PROGRAMS[kind].items():
        program = loaded(programs[part], device)
        for case in cases(tensors, names, outputs):
            inputs = [tensors[case + name] for name in names if case + name in tensors]
            if part == "text_encoder":
                inputs = [inputs[0].long(), inputs[1].long() if len(inputs) > 1 else torch.ones_like(inputs[0]).long()]
            else:
                inputs = [value.float() for value in inputs]
            if "class_labels" in names:
                classes = config["num_embeds_ada_norm"] + 1
                inputs[2] = torch.nn.functional.one_hot(inputs[2].long(), classes).float()
                inputs[2] = inputs[2].unsqueeze(1) if inputs[2].dim() == 2 else inputs[2]
            made = run(program, [value.to(device) for value in inputs])
            for name, output in zip(outputs, made):
                if case + name in tensors:
                    expected = tensors[case + name].float()
                    distance = (output.float().cpu() - expected).abs().max() / expected.abs().max()
                    worst, compared = max(worst, distance.item()), compared + 1
    return worst, compared


def timed(name, component, shapes, dtype, device, rounds):
    """A forward pass of a U-Net, ours and diffusers' in turns."""
    import diffusers

    of = getattr(torch, dtype)
    theirs = diffusers.UNet2DConditionModel.from_pretrained(component, torch_dtype=of)
    theirs = theirs.eval().to(device, memory_format=torch.channels_last)
    ours = loaded(compiled(component, dtype)["denoiser"], device)
    torch.manual_seed(0)
    sample, prompt = torch.randn(shapes["sample"]), torch.randn(shapes["encoder_hidden_states"])
    given = [sample.to(device), torch.tensor(481.0, device=device), prompt.to(device)]
    half = [value.to(of) for value in given]

    def other():
        with torch.inference_mode():
            return theirs(half[0], 481, half[2]).sample

    def seconds(work):
        start = time.perf_counter()
        work()
        if device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    times = {"ours": [], "theirs": []}
    for i in range(rounds + 3):  # the first three warm up
        for side, work in [("ours", lambda: run(ours, given)), ("theirs", other)][:: 1 if i % 2 else -1]:
            times[side].append(seconds(work))
    ours_s, theirs_s = (times[side][3:] for side in ("ours", "theirs"))
    ratios = sorted(a / b for a, b in zip(ours_s, theirs_s))
    print(f"{name}, {dtype}, {device}: ours {statistics.median(ours_s) * 1e3:.1f} ms, diffusers "
          f"{statistics.median(theirs_s) * 1e3:.1f} ms, ratio {statistics.median(ratios):.2f} "
          f"({ratios[0]:.2f} to {ratios[-1]:.2f})", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--device", default="cuda")
    arguments.add_argument("--dtype", nargs="+", choices=list(BOUNDS), default=list(BOUNDS))
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--full-size", action="store_true")
    parsed = arguments.parse_args()
    device = parsed.device
    if device != "cpu" and not torch.cuda.is_available():
        sys.exit(f"--device: expected a GPU that this PyTorch {torch.__version__} sees, got {device}; install a build "
                 "for the machine's driver, or say --device cpu")
    print(f"PyTorch {torch.__version__} on {device if device == 'cpu' else torch.cuda.get_device_name()}")
    subprocess.run([OURS, "--help"], check=True, stdout=subprocess.DEVNULL)  # builds what is stale
    failed = False
    for dtype in parsed.dtype:
        for folder in sorted(file.parent for file in GOLDEN.glob("*/golden.safetensors")):
            if (folder / "config.json").exists():
                worst, compared = golden(folder, dtype, device)
                far = not (compared and worst <= BOUNDS[dtype])
                failed |= far
                print(f"{folder.name}, {dtype}: {compared} outputs within {worst:.1e}"
                      + (f", expected at most {BOUNDS[dtype]}" if far else ""), flush=True)
    emoji = ROOT / "udfs/src/main/resources/latentmix/builtin/emoji-ldm/unet"
    for dtype in parsed.dtype:
        shapes = {"sample": (32, 8, 8, 8), "encoder_hidden_states": (32, 20, 128)}
        timed("the demo's U-Net", emoji, shapes, dtype, device, parsed.rounds)
    if parsed.full_size:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="latentmix-peers-"))
        try:
            command = [OURS, "bench", "turns", "--model", "sd15-unet", "--folder", folder]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # writes weights
            for dtype in parsed.dtype:
                timed("Stable Diffusion 1.5's U-Net", folder, NETWORKS["sd15-unet"][1], dtype, device, parsed.rounds)
        finally:
            shutil.rmtree(folder)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
