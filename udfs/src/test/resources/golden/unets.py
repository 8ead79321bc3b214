"""Makes golden/unet-no-mid and golden/unet-guidance: tiny U-Nets of random weights, run by diffusers.

    pip install diffusers==0.42.1 torch==2.13.0 safetensors
    python udfs/src/test/resources/golden/unets.py

Weights are drawn as in the other folders: matrices N(0, 1/fan_in), biases N(0, 0.1^2), norm gains 1 + 0.2 N(0, 1).
unet-no-mid is wired like tiny-sd and bk-sdm-tiny (no middle block, one layer a level), unet-guidance like an LCM's
(time_cond_proj_dim); its timestep_cond is the pipeline's embedding of the guidance scale.
"""

import math
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file

COMMON = {
    "sample_size": 8,
    "block_out_channels": (8, 12),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 2,
    "cross_attention_dim": 10,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
}


def redraw(model, generator):
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        if weight.dim() > 1:
            noise /= math.sqrt(weight[0].numel())
        elif "norm" in name and name.endswith("weight"):
            noise = 1 + 0.2 * noise
        else:
            noise *= 0.1
        weight.data = noise


def make(name, seed, more, condition):
    folder = Path(__file__).parent / name
    model = UNet2DConditionModel(**COMMON, **more).eval()
    redraw(model, torch.Generator().manual_seed(seed))
    model.save_pretrained(folder)
    inputs = torch.Generator().manual_seed(seed + 1)
    tensors = {}
    for case, timestep, batch, height, width in (("t1", 1, 2, 8, 8), ("odd", 701, 1, 6, 10)):
        sample = torch.randn(batch, 4, height, width, generator=inputs)
        prompt = torch.randn(batch, 5, 10, generator=inputs)
        named = {"sample": sample, "timestep": torch.tensor(timestep), "encoder_hidden_states": prompt}
        if condition:
            scale = torch.tensor([7.5, 1.5][:batch]) - 1
            named["timestep_cond"] = StableDiffusionPipeline.get_guidance_scale_embedding(
                None, scale, embedding_dim=more["time_cond_proj_dim"])
        with torch.no_grad():
            out = model(**named).sample
        tensors |= {f"{case}.{key}": value.contiguous() for key, value in (named | {"out": out}).items()}
    save_file(tensors, folder / "golden.safetensors")


make("unet-no-mid", 1101, {"mid_block_type": None}, condition=False)
make("unet-guidance", 1201, {"time_cond_proj_dim": 6}, condition=True)
