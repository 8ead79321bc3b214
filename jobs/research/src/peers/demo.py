"""The job of ./latentmix demo as a plain script with diffusers: invert, mix, generate, write PNG files.

usage: demo.py OUT [--threads N]
It takes what conf/demo.yaml says: the model, the images and classes, 25 steps of DDIM inversion in batches of 32, eight
mixtures a class of four images (fix/cmm), eight a class to compare methods, 8 steps of DPM-Solver++(2M) at guidance 2.
Which images are mixed is drawn by numpy, so the pictures are others than ours. It keeps no tables, resumes nothing and
writes no report.
"""

import argparse
import csv
import pathlib

import numpy as np
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler, DPMSolverMultistepScheduler, StableDiffusionPipeline
from PIL import Image

BUILT_IN = pathlib.Path(__file__).parents[4] / "udfs/src/main/resources/latentmix/builtin"
FOLDERS = ["animal-face", "bird", "cat-face", "fish", "flower", "heart", "house", "smiling-face"]
BATCH, INVERSION_STEPS, STEPS, GUIDANCE = 32, 25, 8, 2.0
DATASET, DATASET_INPUTS, COMPARED, METHODS = 8, 4, [4, 16], ["lin/0", "fix/0", "nin/chm", "fix/cmm"]


def norm(x):
    return np.sqrt((x * x).sum(tuple(range(1, x.ndim))))


def mix(method, latents, weights, class_mean):
    """z' = d̄ + (τ / ‖r̄‖) r̄ of latents (N, C, H, W): the norm says what τ is, the split what d is."""
    how, split = method.split("/")
    d = {
        "0": lambda: np.zeros_like(latents),
        "chm": lambda: np.broadcast_to(latents.mean((2, 3), keepdims=True), latents.shape),
        "cmm": lambda: np.broadcast_to(class_mean, latents.shape),
    }[split]()
    r = latents - d
    d_bar, r_bar = (np.tensordot(weights, x, 1) for x in (d, r))
    if how == "lin":
        return d_bar + r_bar
    tau = np.sqrt(r_bar.size) if how == "fix" else np.dot(weights, norm(r))
    return d_bar + tau / np.linalg.norm(r_bar) * r_bar


def mixtures(inverted, rng):
    """The latents (128, C, H, W) that images are generated from, and the class and file name of each."""
    for folder, latents in inverted.items():
        mean = latents.mean(0)
        for k in range(DATASET):
            chosen = rng.choice(len(latents), DATASET_INPUTS, replace=False)
            weights = rng.dirichlet(np.ones(DATASET_INPUTS))
            yield folder, f"dataset-{k}", mix("fix/cmm", latents[chosen], weights, mean)
        for inputs in COMPARED:
            chosen = rng.choice(len(latents), inputs, replace=False)
            others = np.delete(latents, chosen, 0).mean(0)  # the class mean is of the other images
            for method in METHODS:
                name = f"{method.replace('/', '-')}-{inputs}"
                yield folder, name, mix(method, latents[chosen], np.full(inputs, 1 / inputs), others)


@torch.inference_mode()
def main(out, threads):
    torch.set_num_threads(threads)
    pipeline = StableDiffusionPipeline.from_pretrained(BUILT_IN / "emoji-ldm", safety_checker=None, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    unet, vae = (net.to(memory_format=torch.channels_last) for net in (pipeline.unet, pipeline.vae))
    scheduler = pipeline.scheduler
    with open(BUILT_IN / "emoji-sample/classes.tsv", encoding="utf-8") as lines:
        names = {row["folder"]: row["name"] for row in csv.DictReader(lines, delimiter="\t")}
    prompts = [f"an emoji of a {names[folder]}" for folder in FOLDERS]
    tokens = pipeline.tokenizer(
        prompts + [""], padding="max_length", max_length=pipeline.tokenizer.model_max_length, return_tensors="pt")
    embeds = pipeline.text_encoder(tokens.input_ids)[0]
    told = dict(zip(FOLDERS, embeds))
    unconditional = embeds[-1]

    inverse = DDIMInverseScheduler.from_config(scheduler.config)
    inverse.set_timesteps(INVERSION_STEPS)
    inverted = {}
    for folder in FOLDERS:
        files = sorted((BUILT_IN / "emoji-sample" / folder).glob("*.png"))
        noise = []
        for i in range(0, len(files), BATCH):
            pixels = [np.asarray(Image.open(file).convert("RGB")) for file in files[i : i + BATCH]]
            images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1
            latents = vae.encode(images).latent_dist.mode() * vae.config.scaling_factor
            prompt = told[folder].expand(len(latents), -1, -1)
            for t in inverse.timesteps:
                latents = inverse.step(unet(latents, t, prompt).sample, t, latents).prev_sample
            noise.append(latents.numpy())
        inverted[folder] = np.concatenate(noise)

    every = list(mixtures(inverted, np.random.default_rng(0)))
    for i in range(0, len(every), BATCH):
        batch = every[i : i + BATCH]
        solver = DPMSolverMultistepScheduler.from_config(scheduler.config, algorithm_type="dpmsolver++")
        solver.set_timesteps(STEPS)
        latents = torch.from_numpy(np.stack([latent for _, _, latent in batch])).float()
        prompt = torch.cat([
            unconditional.expand(len(batch), -1, -1), torch.stack([told[folder] for folder, _, _ in batch])])
        for t in solver.timesteps:
            uncond, cond = unet(torch.cat([latents, latents]), t, prompt).sample.chunk(2)
            latents = solver.step(uncond + GUIDANCE * (cond - uncond), t, latents).prev_sample
        images = vae.decode(latents / vae.config.scaling_factor).sample
        pixels = ((images / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        for (folder, name, _), image in zip(batch, pixels):
            (out / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(out / folder / f"{name}.png")
    print(f"{len(every)} images in {out}")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--threads", type=int, default=torch.get_num_threads())
    parsed = arguments.parse_args()
    main(parsed.out, parsed.threads)
