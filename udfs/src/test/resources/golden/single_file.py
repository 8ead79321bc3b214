"""Writes single-file.json: what diffusers makes of single-file checkpoints of Stable Diffusion 1, 2 and XL.

The files are made here, in the layout of the original code (CompVis/stable-diffusion, Stability-AI/stablediffusion and
generative-models):
their names and shapes are those of ldm's modules, their bytes come from a formula that SingleFileTest repeats.
Run with diffusers 0.42.1, transformers 5.24.0 and torch 2.13.0.
"""

import hashlib
import json
import os
import sys
import tempfile
import zlib

import diffusers
import numpy as np
import torch
import transformers
from diffusers import AutoencoderKL, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.loaders import single_file_utils as utils
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

UNET = "model.diffusion_model."
VAE = "first_stage_model."
CLIP = "cond_stage_model.transformer.text_model."
OPEN_CLIP = "cond_stage_model.model."
CLIP_XL = "conditioner.embedders.0.transformer.text_model."
OPEN_CLIP_XL = "conditioner.embedders.1.model."


class Layout:
    """Names and shapes of one file."""

    def __init__(self, channels, mult, context, linear, text, vae, dtype, depths=None, second=None):
        self.shapes = {}
        self.channels, self.mult, self.context, self.linear, self.dtype = channels, mult, context, linear, dtype
        self.depths, self.second = depths, second
        self.unet()
        self.vae(*vae)
        if second:
            self.clip(CLIP_XL, *text)
            self.open_clip(OPEN_CLIP_XL, *second)
        else:
            self.open_clip(OPEN_CLIP, *text, text[0]) if linear else self.clip(CLIP, *text)

    def depth(self, level):
        """Of the transformers of a level; Stable Diffusion XL has none at its first, the others at their last."""
        if self.second:
            return self.depths[level] if level else 0
        return int(level != len(self.mult) - 1)

    def layer(self, name, *weight):
        self.shapes[name + ".weight"] = list(weight)
        self.shapes[name + ".bias"] = list(weight[:1])

    def res(self, name, before, after):
        self.layer(name + "in_layers.0", before)
        self.layer(name + "in_layers.2", after, before, 3, 3)
        self.layer(name + "emb_layers.1", after, 4 * self.channels)
        self.layer(name + "out_layers.0", after)
        self.layer(name + "out_layers.3", after, after, 3, 3)
        if before != after:
            self.layer(name + "skip_connection", after, before, 1, 1)

    def transformer(self, name, c, depth):
        one = [] if self.linear else [1, 1]
        self.layer(name + "norm", c)
        self.layer(name + "proj_in", c, c, *one)
        for i in range(depth):
            self.block(name + f"transformer_blocks.{i}.", c)
        self.layer(name + "proj_out", c, c, *one)

    def block(self, block, c):
        for attention, keys in (("attn1.", c), ("attn2.", self.context)):
            self.shapes[block + attention + "to_q.weight"] = [c, c]
            self.shapes[block + attention + "to_k.weight"] = [c, keys]
            self.shapes[block + attention + "to_v.weight"] = [c, keys]
            self.layer(block + attention + "to_out.0", c, c)
        self.layer(block + "ff.net.0.proj", 8 * c, c)
        self.layer(block + "ff.net.2", c, 4 * c)
        for i in (1, 2, 3):
            self.layer(block + f"norm{i}", c)

    def unet(self):
        c, last = self.channels, len(self.mult) - 1
        self.layer(UNET + "time_embed.0", 4 * c, c)
        self.layer(UNET + "time_embed.2", 4 * c, 4 * c)
        if self.second:
            self.layer(UNET + "label_emb.0.0", 4 * c, self.second[3] + 6 * 256)
            self.layer(UNET + "label_emb.0.2", 4 * c, 4 * c)
        self.layer(UNET + "input_blocks.0.0", c, 4, 3, 3)
        skips, now, i = [c], c, 1
        for level, mult in enumerate(self.mult):
            for _ in range(2):
                self.res(UNET + f"input_blocks.{i}.0.", now, mult * c)
                now = mult * c
                if self.depth(level):
                    self.transformer(UNET + f"input_blocks.{i}.1.", now, self.depth(level))
                skips.append(now)
                i += 1
            if level != last:
                self.layer(UNET + f"input_blocks.{i}.0.op", now, now, 3, 3)
                skips.append(now)
                i += 1
        self.res(UNET + "middle_block.0.", now, now)
        self.transformer(UNET + "middle_block.1.", now, self.depth(last) or 1)
        self.res(UNET + "middle_block.2.", now, now)
        i = 0
        for level in range(last, -1, -1):
            for block in range(3):
                self.res(UNET + f"output_blocks.{i}.0.", now + skips.pop(), self.mult[level] * c)
                now = self.mult[level] * c
                if self.depth(level):
                    self.transformer(UNET + f"output_blocks.{i}.1.", now, self.depth(level))
                if level and block == 2:
                    self.layer(UNET + f"output_blocks.{i}.{2 if self.depth(level) else 1}.conv", now, now, 3, 3)
                i += 1
        self.layer(UNET + "out.0", c)
        self.layer(UNET + "out.2", 4, c, 3, 3)

    def vae_res(self, name, before, after):
        self.layer(name + "norm1", before)
        self.layer(name + "conv1", after, before, 3, 3)
        self.layer(name + "norm2", after)
        self.layer(name + "conv2", after, after, 3, 3)
        if before != after:
            self.layer(name + "nin_shortcut", after, before, 1, 1)

    def vae_mid(self, name, c):
        self.vae_res(name + "block_1.", c, c)
        self.layer(name + "attn_1.norm", c)
        for part in ("q", "k", "v", "proj_out"):
            self.layer(name + "attn_1." + part, c, c, 1, 1)
        self.vae_res(name + "block_2.", c, c)

    def vae(self, c, mult):
        last = len(mult) - 1
        e = VAE + "encoder."
        self.layer(e + "conv_in", c, 3, 3, 3)
        now = c
        for level, m in enumerate(mult):
            for block in range(2):
                self.vae_res(e + f"down.{level}.block.{block}.", now, m * c)
                now = m * c
            if level != last:
                self.layer(e + f"down.{level}.downsample.conv", now, now, 3, 3)
        self.vae_mid(e + "mid.", now)
        self.layer(e + "norm_out", now)
        self.layer(e + "conv_out", 8, now, 3, 3)
        d = VAE + "decoder."
        self.layer(d + "conv_in", now, 4, 3, 3)
        self.vae_mid(d + "mid.", now)
        for level in range(last, -1, -1):
            for block in range(3):
                self.vae_res(d + f"up.{level}.block.{block}.", now, mult[level] * c)
                now = mult[level] * c
            if level:
                self.layer(d + f"up.{level}.upsample.conv", now, now, 3, 3)
        self.layer(d + "norm_out", now)
        self.layer(d + "conv_out", 3, now, 3, 3)
        self.layer(VAE + "quant_conv", 8, 8, 1, 1)
        self.layer(VAE + "post_quant_conv", 4, 4, 1, 1)

    def clip(self, prefix, width, layers, words):
        self.shapes[prefix + "embeddings.position_ids"] = [1, 77]
        self.shapes[prefix + "embeddings.token_embedding.weight"] = [words, width]
        self.shapes[prefix + "embeddings.position_embedding.weight"] = [77, width]
        for i in range(layers):
            layer = prefix + f"encoder.layers.{i}."
            for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                self.layer(layer + "self_attn." + part, width, width)
            self.layer(layer + "layer_norm1", width)
            self.layer(layer + "mlp.fc1", 4 * width, width)
            self.layer(layer + "mlp.fc2", width, 4 * width)
            self.layer(layer + "layer_norm2", width)
        self.layer(prefix + "final_layer_norm", width)

    def open_clip(self, prefix, width, layers, words, projection):
        self.shapes[prefix + "positional_embedding"] = [77, width]
        self.shapes[prefix + "text_projection"] = [width, projection]
        self.shapes[prefix + "logit_scale"] = []
        self.shapes[prefix + "token_embedding.weight"] = [words, width]
        for i in range(layers):
            layer = prefix + f"transformer.resblocks.{i}."
            self.layer(layer + "ln_1", width)
            self.shapes[layer + "attn.in_proj_weight"] = [3 * width, width]
            self.shapes[layer + "attn.in_proj_bias"] = [3 * width]
            self.layer(layer + "attn.out_proj", width, width)
            self.layer(layer + "ln_2", width)
            self.layer(layer + "mlp.c_fc", 4 * width, width)
            self.layer(layer + "mlp.c_proj", width, 4 * width)
        self.layer(prefix + "ln_final", width)

    def with_ema(self):
        self.shapes["betas"] = [1000]
        self.shapes["model_ema.decay"] = []
        for name in [name for name in self.shapes if name.startswith(UNET)]:
            self.shapes["model_ema." + "".join(name.split(".")[1:])] = self.shapes[name]
        return self

    def type(self, name):
        return "I64" if name.endswith("position_ids") else self.dtype

    def tensor(self, name):
        """Of element i and the name's CRC-32 c: the bits of (i * 2654435761 + c) that make a finite number."""
        shape = self.shapes[name]
        i = np.arange(int(np.prod(shape)), dtype=np.uint64)
        bits = i * np.uint64(2654435761) + np.uint64(zlib.crc32(name.encode()))
        if self.type(name) == "I64":
            values = torch.from_numpy(i.astype(np.int64))
        elif self.dtype == "F32":
            values = torch.from_numpy((bits & np.uint64(0x3FFFFFFF)).astype(np.uint32).view(np.float32))
        else:
            values = torch.from_numpy((bits & np.uint64(0x3BFF)).astype(np.uint16).view(np.float16))
        return values.reshape(shape)

    def digest(self):
        return digest(f"{name} {self.type(name)} {shape}" for name, shape in self.shapes.items())


def digest(lines):
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def values(state):
    return digest(
        f"{name} {list(value.shape)} {zlib.crc32(value.contiguous().numpy().tobytes()):08x}"
        for name, value in state.items()
    )


def shapes(state):
    return digest(f"{name} {list(value.shape)}" for name, value in state.items())


def prefixed(state):
    """transformers 5.6 and newer write a text model without its prefix."""
    return {name if name.startswith("text_") else "text_model." + name: value for name, value in state.items()}


DOWN = ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"]
UP = ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3


def encoder(width, layers, words, activation, projection, kind):
    return {
        "architectures": [kind], "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 2,
        "hidden_act": activation, "hidden_size": width, "initializer_factor": 1.0,
        "initializer_range": 0.02, "intermediate_size": 4 * width, "layer_norm_eps": 1e-05,
        "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": width // 64,
        "num_hidden_layers": layers, "pad_token_id": 1, "projection_dim": projection, "vocab_size": words,
    }


def configs(channels, mult, context, linear, text, vae, size, heads, depths=None, second=None):
    """The configurations of the published checkpoints, of other widths perhaps."""
    unet = {
        "_class_name": "UNet2DConditionModel", "act_fn": "silu", "attention_head_dim": heads,
        "block_out_channels": [m * channels for m in mult], "center_input_sample": False,
        "cross_attention_dim": context, "down_block_types": DOWN, "downsample_padding": 1, "flip_sin_to_cos": True,
        "freq_shift": 0, "in_channels": 4, "layers_per_block": 2, "mid_block_scale_factor": 1, "norm_eps": 1e-05,
        "norm_num_groups": 32, "out_channels": 4, "sample_size": size // 8, "up_block_types": UP,
    }
    if linear:
        unet |= {"dual_cross_attention": False, "only_cross_attention": False, "num_class_embeds": None,
                 "upcast_attention": None if second else True, "use_linear_projection": True}
    autoencoder = {
        "_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [m * vae[0] for m in vae[1]],
        "down_block_types": ["DownEncoderBlock2D"] * 4, "in_channels": 3, "latent_channels": 4,
        "layers_per_block": 2, "norm_num_groups": 32, "out_channels": 3, "sample_size": size,
        "up_block_types": ["UpDecoderBlock2D"] * 4,
    }
    if not second:
        layers = text[1] - 1 if linear else text[1]
        return {
            "unet": unet, "vae": autoencoder,
            "text_encoder": encoder(text[0], layers, text[2], "gelu" if linear else "quick_gelu",
                                    512 if linear else 768, "CLIPTextModel"),
        }
    unet |= {
        "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
        "down_block_types": ["DownBlock2D"] + ["CrossAttnDownBlock2D"] * 2, "mid_block_type": "UNetMidBlock2DCrossAttn",
        "projection_class_embeddings_input_dim": second[3] + 6 * 256, "transformer_layers_per_block": list(depths),
        "up_block_types": ["CrossAttnUpBlock2D"] * 2 + ["UpBlock2D"],
    }
    return {
        "unet": unet, "vae": autoencoder | {"force_upcast": True, "scaling_factor": 0.13025},
        "text_encoder": encoder(*text, "quick_gelu", 768, "CLIPTextModel"),
        "text_encoder_2": encoder(*second[:3], "gelu", second[3], "CLIPTextModelWithProjection"),
    }


def scheduler(kind):
    if kind == "sdxl":
        return {
            "_class_name": "EulerDiscreteScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear",
            "beta_start": 0.00085, "clip_sample": False, "interpolation_type": "linear", "num_train_timesteps": 1000,
            "prediction_type": "epsilon", "sample_max_value": 1.0, "set_alpha_to_one": False, "skip_prk_steps": True,
            "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": None, "use_karras_sigmas": False,
        }
    prediction = {"sd1": "", "sd2": "v_prediction"}[kind]
    return {
        "_class_name": "DDIMScheduler" if prediction else "PNDMScheduler", "beta_end": 0.012,
        "beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": False, "num_train_timesteps": 1000,
        "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
    } | ({"prediction_type": prediction} if prediction else {})


TINY = {
    "sd1": dict(channels=32, mult=(1, 1, 2, 2), context=64, linear=False, text=(64, 3, 80), vae=(32, (1, 1, 2, 2))),
    "sd2": dict(channels=64, mult=(1, 1, 2, 2), context=64, linear=True, text=(64, 24, 80), vae=(32, (1, 1, 2, 2))),
    "sdxl": dict(channels=64, mult=(1, 1, 2), context=192, linear=True, text=(64, 3, 80), vae=(32, (1, 1, 2, 2)),
                 depths=(1, 2, 3), second=(128, 3, 80, 48)),
}
FULL = {
    "sd1": dict(channels=320, mult=(1, 2, 4, 4), context=768, linear=False, text=(768, 12, 49408),
                vae=(128, (1, 2, 4, 4))),
    "sd2": dict(channels=320, mult=(1, 2, 4, 4), context=1024, linear=True, text=(1024, 24, 49408),
                vae=(128, (1, 2, 4, 4))),
    "sdxl": dict(channels=320, mult=(1, 2, 4), context=2048, linear=True, text=(768, 12, 49408),
                 vae=(128, (1, 2, 4, 4)), depths=(1, 2, 10), second=(1280, 32, 49408, 1280)),
}
SIZE = {"sd1": 512, "sd2": 768, "sdxl": 1024}


def described(kind, dims):
    heads = [m * dims["channels"] // 64 for m in dims["mult"]] if dims["linear"] else 8
    return configs(**dims, size=SIZE[kind], heads=heads)


def loaded(kind, folder):
    """A tiny file through the pipeline's from_single_file."""
    layout = Layout(**TINY[kind], dtype="F32" if kind == "sd1" else "F16")
    if kind == "sd1":
        layout.with_ema()
    state = {name: layout.tensor(name) for name in layout.shapes}
    config = described(kind, TINY[kind])
    for name, content in config.items():
        os.makedirs(f"{folder}/{kind}/{name}")
        json.dump(content, open(f"{folder}/{kind}/{name}/config.json", "w"))
    os.makedirs(f"{folder}/{kind}/scheduler")
    json.dump(scheduler(kind), open(f"{folder}/{kind}/scheduler/scheduler_config.json", "w"))
    json.dump(
        {
            "_class_name": "StableDiffusionXLPipeline" if kind == "sdxl" else "StableDiffusionPipeline",
            "scheduler": ["diffusers", "EulerDiscreteScheduler" if kind == "sdxl" else "DDIMScheduler"],
            "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
            "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
        } | ({
            "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
            "tokenizer_2": ["transformers", "CLIPTokenizer"],
        } if kind == "sdxl" else {"safety_checker": [None, None], "feature_extractor": [None, None]}),
        open(f"{folder}/{kind}/model_index.json", "w"),
    )
    file = f"{folder}/{kind}.safetensors"
    save_file(state, file)
    pipeline = StableDiffusionXLPipeline if kind == "sdxl" else StableDiffusionPipeline
    without = {"tokenizer_2": None} if kind == "sdxl" else {"safety_checker": None, "feature_extractor": None}
    pipe = pipeline.from_single_file(
        file, config=f"{folder}/{kind}", tokenizer=None, **without,
        torch_dtype=torch.float32 if kind == "sd1" else torch.float16)
    result = {
        "file": layout.digest(),
        "configs": config,
        "unet": values(pipe.unet.state_dict()),
        "vae": values(pipe.vae.state_dict()),
    }
    for name in (name for name in config if name.startswith("text_encoder")):
        state_dict = prefixed(getattr(pipe, name).state_dict())
        result[name] = values({key: value for key, value in state_dict.items() if "position_ids" not in key})
    if kind == "sd1":
        result["unet_ema"] = values(utils.convert_ldm_unet_checkpoint(dict(state), config["unet"], extract_ema=True))
    return result


def full_size(kind):
    """Names and shapes alone, through the functions by which diffusers converts, compared with its models."""
    layout = Layout(**FULL[kind], dtype="F16")
    config = described(kind, FULL[kind])
    with torch.device("meta"):
        state = {name: torch.empty(shape) for name, shape in layout.shapes.items()}
        unet = UNet2DConditionModel.from_config(config["unet"])
        vae = AutoencoderKL.from_config(config["vae"])
        text = CLIPTextModel(CLIPTextConfig(**config["text_encoder"]))
        second = CLIPTextModelWithProjection(CLIPTextConfig(**config["text_encoder_2"])) if kind == "sdxl" else None
    converted = {
        "unet": utils.convert_ldm_unet_checkpoint(dict(state), config["unet"]),
        "vae": utils.convert_ldm_vae_checkpoint(dict(state), config["vae"]),
        "text_encoder": utils.convert_open_clip_checkpoint(text, dict(state)) if kind == "sd2"
        else utils.convert_ldm_clip_checkpoint(dict(state)),
    }
    models = {"unet": unet, "vae": vae, "text_encoder": text}
    if kind == "sdxl":
        models["text_encoder_2"] = second
        converted["text_encoder_2"] = utils.convert_open_clip_checkpoint(second, dict(state), prefix=OPEN_CLIP_XL)
    for name, model in models.items():
        expected = prefixed(model.state_dict()) if name.startswith("text_encoder") else model.state_dict()
        converted[name] = {key: value for key, value in converted[name].items() if key in expected}
        assert shapes(converted[name]) == shapes(expected), (kind, name)
    return {
        "type": utils.infer_diffusers_model_type(state),
        "file": layout.digest(),
        "configs": config,
        "parameters": {
            name: sum(value.numel() for value in converted[name].values()) for name in models
        },
    } | {name: shapes(state) for name, state in converted.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        golden = {
            "made_by": f"diffusers {diffusers.__version__}, transformers {transformers.__version__}",
            "scheduler": {kind: scheduler(kind) for kind in TINY},
            "tiny": {kind: loaded(kind, folder) for kind in TINY},
            "full": {kind: full_size(kind) for kind in FULL},
        }
    with open(sys.argv[1], "w") as out:
        json.dump(golden, out, indent=1)
        out.write("\n")
