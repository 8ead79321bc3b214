"""Makes golden/clip-text-xl-g and golden/e2e-sdxl: a tiny Stable Diffusion XL of random weights, run by diffusers.

    pip install diffusers==0.42.1 transformers==5.24.0 torch==2.13.0 safetensors numpy
    python udfs/src/test/resources/golden/sdxl.py

The checkpoint is put together as GoldenCheckpoints.stableDiffusionXl does it: unet-sdxl, vae-sd15 with the scaling
factor of Stable Diffusion XL, clip-text-sd15 as the first text encoder, clip-text-xl-g, made here, as the second, and
the scheduler that Stable Diffusion XL is published with. Words are ids: "w5" is 5. All inputs are stored.
"""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import torch
from diffusers import (AutoencoderKL, DDIMInverseScheduler, DDIMScheduler, EulerDiscreteScheduler,
                       StableDiffusionXLPipeline, UNet2DConditionModel)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

HERE = Path(__file__).parent
START, END, LENGTH = 298, 299, 77
STEPS = 10
SCHEDULER = {
    "_class_name": "EulerDiscreteScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "clip_sample": False, "interpolation_type": "linear", "num_train_timesteps": 1000,
    "prediction_type": "epsilon", "sample_max_value": 1.0, "set_alpha_to_one": False, "skip_prk_steps": True,
    "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": None, "use_karras_sigmas": False,
}
PROMPT = "w5 w17 w17 w200 w43"
NEGATIVE = "w91 w8"


class Words:
    """A tokenizer of the words w0 to w297."""

    model_max_length = LENGTH
    added_tokens_encoder = {}

    def __init__(self, padding):
        self.padding = padding

    def tokenize(self, text):
        return text.split()

    def __call__(self, text, padding=None, **_):
        rows = []
        for prompt in [text] if isinstance(text, str) else text:
            ids = [START] + [int(word[1:]) for word in prompt.split()] + [END]
            rows.append(ids + [self.padding] * (LENGTH - len(ids) if padding == "max_length" else 0))
        return SimpleNamespace(input_ids=torch.tensor(rows))


def redraw(model, generator):
    """Weights as in the other folders: matrices N(0, 1/fan_in), biases N(0, 0.1^2), norm gains 1 + 0.2 N(0, 1)."""
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        if "embedding" in name:
            noise *= 0.4 if "position" in name else 0.8
        elif weight.dim() > 1:
            noise /= math.sqrt(weight[0].numel())
        elif "norm" in name and name.endswith("weight"):
            noise = 1 + 0.2 * noise
        else:
            noise *= 0.1
        weight.data = noise


def second_encoder():
    config = CLIPTextConfig(
        vocab_size=304, hidden_size=8, intermediate_size=20, num_hidden_layers=3, num_attention_heads=2,
        hidden_act="gelu", projection_dim=20, max_position_embeddings=LENGTH, bos_token_id=0, eos_token_id=2,
        pad_token_id=1)
    model = CLIPTextModelWithProjection(config).eval()
    redraw(model, torch.Generator().manual_seed(3005))
    model.save_pretrained(HERE / "clip-text-xl-g")
    return model


def pipeline():
    vae = AutoencoderKL.from_pretrained(HERE / "vae-sd15").eval()
    vae.register_to_config(scaling_factor=0.13025)
    return StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=CLIPTextModel.from_pretrained(HERE / "clip-text-sd15").eval(),
        text_encoder_2=second_encoder(),
        tokenizer=Words(END),
        tokenizer_2=Words(0),
        unet=UNet2DConditionModel.from_pretrained(HERE / "unet-sdxl").eval(),
        scheduler=DDIMScheduler.from_config(SCHEDULER),
        force_zeros_for_empty_prompt=True,
        add_watermarker=False)


@torch.no_grad()
def make():
    pipe = pipeline()
    pipe.set_progress_bar_config(disable=True)
    tensors = {}

    def prompts(prefix, prompt, negative, forced):
        pipe.register_to_config(force_zeros_for_empty_prompt=forced)
        named = pipe.encode_prompt(prompt, negative_prompt=negative)
        for name, value in zip(("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds",
                                "negative_pooled_prompt_embeds"), named):
            tensors[f"{prefix}.{name}"] = value
        pipe.register_to_config(force_zeros_for_empty_prompt=True)

    prompts("zeros", PROMPT, None, True)
    prompts("told", PROMPT, NEGATIVE, True)
    prompts("empty", "w1", None, False)
    del tensors["told.prompt_embeds"], tensors["told.pooled_prompt_embeds"]
    del tensors["empty.prompt_embeds"], tensors["empty.pooled_prompt_embeds"]

    def generate(run, latents, **more):
        height, width = 8 * latents.shape[2], 8 * latents.shape[3]

        def keep(_, step, timestep, values):
            tensors[f"{run}.latent_{step}"] = values["latents"].clone()
            return values

        final = pipe(PROMPT, latents=latents, height=height, width=width, num_inference_steps=STEPS,
                     output_type="latent", callback_on_step_end=keep, **more).images
        tensors[f"{run}.decoded"] = pipe.vae.decode(final / pipe.vae.config.scaling_factor).sample

    generator = torch.Generator().manual_seed(6201)
    tensors["noise"] = torch.randn(1, 4, 8, 6, generator=generator)
    generate("gen.g5", tensors["noise"], guidance_scale=5.0)
    generate("gen.told", tensors["noise"], guidance_scale=2.0, negative_prompt=NEGATIVE,
             original_size=(90, 41), crops_coords_top_left=(7, 3), target_size=(64, 48))

    # Euler's steps in four evaluations, as Turbo and Lightning are sampled, from the same noise of the first level.
    ddim, pipe.scheduler = pipe.scheduler, EulerDiscreteScheduler.from_config(
        SCHEDULER | {"timestep_spacing": "trailing"})
    pipe.scheduler.set_timesteps(4)
    sigma = pipe.scheduler.sigmas[0]
    tensors["few.final"] = pipe(
        PROMPT, latents=tensors["noise"] * (sigma**2 + 1).sqrt() / sigma, height=64, width=48, num_inference_steps=4,
        guidance_scale=0.0, output_type="latent").images
    pipe.scheduler = ddim

    # An image of 96 x 70 pixels whose short side becomes 64, and the middle of the long one is cut out.
    image = torch.rand(1, 3, 64, 64, generator=generator) * 2 - 1
    tensors["image"] = image
    original, crop, target = (96, 70), ((64 * 96 // 70 - 64) // 2, 0), (64, 64)
    time_ids = pipe._get_add_time_ids(original, crop, target, torch.float32, text_encoder_projection_dim=20)
    tensors["invert.time_ids"] = time_ids
    latents = pipe.vae.encode(image).latent_dist.mean * pipe.vae.config.scaling_factor
    tensors["invert.latents"] = latents
    inverse = DDIMInverseScheduler.from_config(SCHEDULER)
    inverse.set_timesteps(STEPS)
    added = {"text_embeds": tensors["zeros.pooled_prompt_embeds"], "time_ids": time_ids}
    for step, timestep in enumerate(inverse.timesteps):
        output = pipe.unet(latents, timestep, tensors["zeros.prompt_embeds"], added_cond_kwargs=added).sample
        latents = inverse.step(output, timestep, latents).prev_sample
        tensors[f"invert.latent_{step}"] = latents

    folder = HERE / "e2e-sdxl"
    folder.mkdir(exist_ok=True)
    save_file({name: value.contiguous() for name, value in tensors.items()}, folder / "golden.safetensors")
    (folder / "scheduler_config.json").write_text(json.dumps(SCHEDULER, indent=1) + "\n")


make()
