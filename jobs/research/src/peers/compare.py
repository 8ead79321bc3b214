"""Runs a peer beside ours, in turns, and prints both medians and the ratio ours / theirs.

usage: compare.py demo|mixing|tables|sd15-unet|sdxl-unet|sd35-medium|dit-xl-2 [--rounds N] [--threads N] [--dtype TYPE]

  demo      ./latentmix demo and demo.py, each a whole process with its start
  mixing    1,000 mixtures of 64 latents of 4×64×64 by nin/chm, ours and numpy's, on one thread
  tables    reading 1,000 latents of 4×64×64 from one file of the table inverted, ours and pyarrow's
  the rest  a forward pass of a network of published size with random weights, ours and diffusers'

The machine may be shared: the two take turns, each round in the other order, and the ratio is taken round by round.
Where it is, the ratio of wall times is coarse, and that of processor times tells more.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[3]
OURS = str(ROOT / "latentmix")
NETWORKS = {
    # the class, and the inputs: the first image with guidance of SD 1.5 and DiT, one image without of the others
    "sd15-unet": ("UNet2DConditionModel", {
        "sample": (2, 4, 64, 64), "timestep": (), "encoder_hidden_states": (2, 77, 768)}),
    "sdxl-unet": ("UNet2DConditionModel", {
        "sample": (1, 4, 128, 128), "timestep": (), "encoder_hidden_states": (1, 77, 2048),
        "text_embeds": (1, 1280), "time_ids": (1, 6)}),
    "sd35-medium": ("SD3Transformer2DModel", {
        "hidden_states": (1, 16, 64, 64), "timestep": (), "encoder_hidden_states": (1, 333, 4096),
        "pooled_projections": (1, 2048)}),
    "dit-xl-2": ("DiTTransformer2DModel", {
        "hidden_states": (2, 4, 32, 32), "timestep": (), "class_labels": (2,)}),
}


class Turns:
    """Our side: a process that does one piece of work for each line."""

    def __init__(self, work, folder, *options):
        command = [OURS, "bench", "turns", "--work", work, "--folder", folder, *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.line("ready")

    def line(self, expected=None):
        line = self.process.stdout.readline().strip()
        if not line or (expected and line != expected):
            sys.exit(f"expected {expected or 'seconds'} of {OURS}, got {line!r}; see above")
        return line

    def turn(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        wall, processor = self.line().split()
        return float(wall), float(processor)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def seconds(work):
    """Wall and processor time."""
    start, before = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - before


def alternate(rounds, ours, theirs):
    """The times of each, round by round; the first round is not counted."""
    pairs = []
    for i in range(rounds + 1):
        first, second = (ours, theirs) if i % 2 else (theirs, ours)
        a, b = first(), second()
        pairs.append((a, b) if i % 2 else (b, a))
    return pairs[1:]


def report(name, pairs):
    print(f"{name}, {len(pairs)} rounds in turns; load of the machine {os.getloadavg()[0]:.1f}")
    for i, of in enumerate(["wall", "processor"]):
        ratios = sorted(ours[i] / theirs[i] for ours, theirs in pairs)
        ours, theirs = (statistics.median(times[i] for times in side) for side in zip(*pairs))
        print(f"  {of}: ours {ours:.2f} s, theirs {theirs:.2f} s, "
              f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})", flush=True)


def demo(rounds, threads):
    # A waiting thread must not take a core from the other program, nor from others on the machine.
    environment = os.environ | {"OMP_WAIT_POLICY": "passive"}

    def process(command):
        with tempfile.TemporaryDirectory() as out:
            start, before = time.perf_counter(), os.times()
            subprocess.run([*command(out)], check=True, stdout=subprocess.DEVNULL, cwd=ROOT, env=environment)
            after = os.times()
        cpu = sum(getattr(after, kind) - getattr(before, kind) for kind in ("children_user", "children_system"))
        return time.perf_counter() - start, cpu

    pairs = alternate(
        rounds,
        lambda: process(lambda out: [OURS, "demo", "--run", out]),
        lambda: process(lambda out: [sys.executable, HERE / "demo.py", out, "--threads", str(threads)]))
    report("demo, whole processes", pairs)


def mixing(rounds, folder):
    import numpy as np

    rng = np.random.default_rng(0)
    z = rng.uniform(-0.5, 0.5, (64, 4, 64, 64))
    weights = rng.dirichlet(np.ones(64), 1000)

    def mix():
        d = z.mean((2, 3), keepdims=True)
        r = (z - d).reshape(64, -1)
        tau = weights @ np.linalg.norm(r, axis=1)
        mean = weights @ r
        mean *= (tau / np.linalg.norm(mean, axis=1))[:, None]
        mixed = mean.reshape(-1, 4, 64, 64)
        mixed += np.tensordot(weights, d, 1)
        return mixed

    turns = Turns("mixing", folder)
    report("mixing", alternate(rounds, turns.turn, lambda: seconds(mix)))
    turns.end()


def tables(rounds, folder):
    import numpy as np
    import pyarrow.parquet

    turns = Turns("tables", folder)
    (file,) = pathlib.Path(folder).glob("inverted/**/*.parquet")

    def read():
        data = pyarrow.parquet.read_table(file, columns=["latent"], use_threads=False)["latent"].combine_chunks()
        latents = np.stack([np.frombuffer(row.as_buffer(), "<f4") for row in data.field("data")])
        assert latents.astype(np.float64).shape == (1000, 4 * 64 * 64)

    report("tables", alternate(rounds, turns.turn, lambda: seconds(read)))
    turns.end()


def network(name, rounds, folder, threads, dtype):
    import diffusers
    import torch
    from safetensors.torch import save_file

    turns = Turns("forward", folder, "--model", name, "--dtype", dtype, "--threads", str(threads))
    torch.set_num_threads(threads)
    kind, shapes = NETWORKS[name]
    of = getattr(torch, dtype)
    model = getattr(diffusers, kind).from_pretrained(folder, torch_dtype=of).eval()
    if kind.startswith("UNet"):
        model = model.to(memory_format=torch.channels_last)
    torch.manual_seed(0)
    inputs = {key: torch.randn(shape) for key, shape in shapes.items()} | {"timestep": torch.tensor(481.0)}
    ours = dict(inputs)
    if "class_labels" in inputs:
        inputs["class_labels"] = torch.tensor([7, 1000])
        ours["class_labels"] = torch.nn.functional.one_hot(inputs["class_labels"], 1001).float().unsqueeze(1)
    added = {key: inputs.pop(key).to(of) for key in ("text_embeds", "time_ids") if key in inputs}
    if added:
        inputs["added_cond_kwargs"] = added
    given = {
        key: value.to(of) if isinstance(value, torch.Tensor) and value.is_floating_point() and value.dim() else value
        for key, value in inputs.items()}
    timestep = given["timestep"]
    given["timestep"] = timestep.expand(next(iter(shapes.values()))[0]).to(of if "SD3" in kind else torch.int64)

    @torch.inference_mode()
    def forward():
        return model(**given).sample

    out = forward().float()
    out = out.chunk(2, 1)[0] if kind.startswith("DiT") else out  # the noise without learnt variances
    save_file(
        {f"{i}.{key}": value.contiguous() for i, (key, value) in enumerate(ours.items())} | {"out": out.contiguous()},
        pathlib.Path(folder) / "inputs.safetensors")
    turns.process.stdin.write("\n")
    turns.process.stdin.flush()
    print(f"{name}, {dtype}: largest difference {turns.line()} of the largest value")
    turns.line()
    report(f"{name}, {dtype}, {threads} threads", alternate(rounds, turns.turn, lambda: seconds(forward)))
    turns.end()


def main():
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    arguments.add_argument("what", nargs="+", choices=["demo", "mixing", "tables", *NETWORKS])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parsed = arguments.parse_args()
    subprocess.run([OURS, "--help"], check=True, stdout=subprocess.DEVNULL)  # builds what is stale
    for what in parsed.what:
        folder = tempfile.mkdtemp(prefix="latentmix-peers-")
        try:
            if what == "demo":
                demo(parsed.rounds, parsed.threads)
            elif what == "mixing":
                mixing(parsed.rounds, folder)
            elif what == "tables":
                tables(parsed.rounds, folder)
            else:
                network(what, parsed.rounds, folder, parsed.threads, parsed.dtype)
        finally:
            shutil.rmtree(folder)


# Read before numpy starts: what runs on one thread of ours runs on one of theirs.
if {"mixing", "tables"} & set(sys.argv):
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
if __name__ == "__main__":
    main()
