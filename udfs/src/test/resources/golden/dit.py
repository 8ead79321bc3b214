"""Makes golden/dit and golden/e2e-dit: a tiny DiT of random weights, run by diffusers.

    pip install diffusers==0.42.1 transformers==5.24.0 torch==2.13.0 safetensors numpy
    python udfs/src/test/resources/golden/dit.py

The checkpoint is put together as GoldenCheckpoints.dit does it: dit, made here, vae-sd15 and the scheduler that DiT is
published with. It has 1000 classes, since diffusers' pipeline has the number of the null class, 1000, in its code.
Outputs of the network are stored without the learned variances. All inputs are stored.
"""

import json
import math
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMInverseScheduler, DDIMScheduler, DiTPipeline, DiTTransformer2DModel
from safetensors.torch import save_file

HERE = Path(__file__).parent
STEPS = 10
CLASSES = [7, 207]
SCHEDULER = {
    "_class_name": "DDIMScheduler", "beta_end": 0.02, "beta_schedule": "linear", "beta_start": 0.0001,
    "clip_sample": False, "num_train_timesteps": 1000, "prediction_type": "epsilon", "set_alpha_to_one": True,
    "steps_offset": 0, "trained_betas": None,
}


def redraw(model, generator):
    """Weights as in the other folders: matrices N(0, 1/fan_in), biases N(0, 0.1^2), the table of classes N(0, 0.8^2)."""
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        if "embedding_table" in name:
            noise *= 0.8
        elif weight.dim() > 1:
            noise /= math.sqrt(weight[0].numel())
        else:
            noise *= 0.1
        weight.data = noise


def transformer():
    model = DiTTransformer2DModel(
        num_attention_heads=2, attention_head_dim=4, in_channels=4, out_channels=8, num_layers=2, sample_size=8,
        patch_size=2, num_embeds_ada_norm=1000).eval()
    redraw(model, torch.Generator().manual_seed(7101))
    model.save_pretrained(HERE / "dit")
    return model


def forwards(model):
    generator = torch.Generator().manual_seed(7102)
    tensors = {}
    for case, side, timesteps, labels in (
            ("own", 8, [481, 20], [7, 1000]), ("larger", 12, [999, 0], [0, 999])):
        sample = torch.randn(2, 4, side, side, generator=generator)
        inputs = {"hidden_states": sample, "timestep": torch.tensor(timesteps), "class_labels": torch.tensor(labels)}
        tensors |= {f"{case}.{name}": value for name, value in inputs.items()}
        tensors[f"{case}.out"] = model(**inputs).sample[:, :4].clone()
    save_file(tensors, HERE / "dit" / "golden.safetensors")


@torch.no_grad()
def make():
    model = transformer()
    forwards(model)
    pipe = DiTPipeline(model, AutoencoderKL.from_pretrained(HERE / "vae-sd15").eval(),
                       DDIMScheduler.from_config(SCHEDULER), {str(i): f"first {i}, second {i}" for i in range(1000)})
    pipe.set_progress_bar_config(disable=True)
    tensors = {"noise": torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(7103))}
    assert pipe.get_label_ids(["first 7", "second 207"]) == CLASSES

    def generate(guidance):
        latents, step = [], pipe.scheduler.step

        def kept(*arguments, **more):
            made = step(*arguments, **more)
            latents.append(made.prev_sample[:2].clone())
            return made

        pipe.scheduler.step = kept
        images = pipe(CLASSES, guidance_scale=guidance, generator=torch.Generator().manual_seed(7103),
                      num_inference_steps=STEPS, output_type="pt").images
        pipe.scheduler.step = step
        return latents, images

    latents, images = generate(4.0)
    tensors |= {f"gen.latent_{i}": latent for i, latent in enumerate(latents)}
    tensors["gen.image"] = (images[:1] * 2 - 1).contiguous()
    tensors["plain.latents"] = generate(1.0)[0][-1]

    # The first image is inverted as one of its class.
    latents = pipe.vae.encode(tensors["gen.image"]).latent_dist.mean * pipe.vae.config.scaling_factor
    tensors["invert.latents"] = latents
    inverse = DDIMInverseScheduler.from_config(SCHEDULER)
    inverse.set_timesteps(STEPS)
    for step, timestep in enumerate(inverse.timesteps):
        output = model(latents, timestep[None], torch.tensor(CLASSES[:1])).sample[:, :4]
        latents = inverse.step(output, timestep, latents).prev_sample
        tensors[f"invert.latent_{step}"] = latents

    folder = HERE / "e2e-dit"
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / "golden.safetensors")
    (folder / "scheduler_config.json").write_text(json.dumps(SCHEDULER, indent=1) + "\n")


make()
