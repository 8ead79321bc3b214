"""Makes golden/lora and golden/embedding: LoRAs and textual inversions of random numbers, loaded by diffusers and PEFT.

    pip install diffusers==0.36.0 torch==2.13.0 transformers==4.57.6 peft==0.21.2 safetensors
    python udfs/src/test/resources/golden/loras.py

The networks are golden/unet-sd15, clip-text-sd15, mmdit-sd35-medium and fashion-ldm. In golden/lora,
peft.safetensors is what save_lora_weights writes of adapters that PEFT made (with ranks and alphas by pattern, and in
the text encoder use_rslora); kohya.safetensors has the names of kohya's scripts, alpha other than the rank, linear
layers, kernels of one and of nine pixels; processor.safetensors the names of diffusers before PEFT;
transformer.safetensors is of Stable Diffusion 3, and joint.safetensors has its original names. <part>-<case> holds
inputs and outputs: after load_lora_weights and fuse_lora, or set_adapters for two at once. For joint.safetensors the
products are added to weights under their original names, which diffusers' own conversion then reads.
golden/embedding/golden.safetensors has what load_textual_inversion makes of prompts: ids and embeddings.
"""

import tempfile
from pathlib import Path

import torch
from diffusers import DDIMScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline, StableDiffusionPipeline
from diffusers import UNet2DConditionModel
from diffusers.training_utils import _collate_lora_metadata
from diffusers.loaders.single_file_utils import convert_sd3_transformer_checkpoint_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTokenizerFast

GOLDEN = Path(__file__).parent
LORA = GOLDEN / "lora"
EMBEDDING = GOLDEN / "embedding"
NUMBERS = torch.Generator().manual_seed(1601)


def random(*shape):
    return torch.randn(*shape, generator=NUMBERS)


def pipeline():
    return StableDiffusionPipeline(
        vae=None,
        text_encoder=CLIPTextModel.from_pretrained(GOLDEN / "clip-text-sd15").eval(),
        tokenizer=None,
        unet=UNet2DConditionModel.from_pretrained(GOLDEN / "unet-sd15").eval(),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False)


def transformer():
    return SD3Transformer2DModel.from_pretrained(GOLDEN / "mmdit-sd35-medium").eval()


def adapted(model, config):
    """The tensors of a new adapter of random numbers."""
    model.add_adapter(config)
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data = random(*weight.shape) * (0.3 if "lora_A" in name else 0.2)
    return get_peft_model_state_dict(model)


def peft():
    pipe = pipeline()
    unet = adapted(pipe.unet, LoraConfig(
        r=3, lora_alpha=5, init_lora_weights=False,
        target_modules=r"(down_blocks\.[02]|mid_block)\..*(attn[12]\.(to_[qkv]|to_out\.0)|proj_in|ff\.net\.2)"
                       r"|conv_in|up_blocks\.3\.resnets\.0\.(conv1|conv_shortcut|time_emb_proj)"
                       r"|down_blocks\.1\.downsamplers\.0\.conv",
        rank_pattern={"attn2.to_k": 2}, alpha_pattern={"attn2.to_k": 7, "proj_in": 1}))
    text = adapted(pipe.text_encoder, LoraConfig(
        r=4, lora_alpha=6, use_rslora=True, init_lora_weights=False, target_modules=["q_proj", "v_proj", "fc1"]))
    with tempfile.TemporaryDirectory() as folder:
        StableDiffusionPipeline.save_lora_weights(
            folder, unet, text, weight_name="peft.safetensors",
            **{f"{name}_lora_adapter_metadata": _collate_lora_metadata({name: getattr(pipe, name)})[
                f"{name}_lora_adapter_metadata"] for name in ("unet", "text_encoder")})
        (LORA / "peft.safetensors").write_bytes((Path(folder) / "peft.safetensors").read_bytes())


def layers(model, names):
    weights = dict(model.named_parameters())
    return {name: weights[name + ".weight"] for name in names}


def kohya():
    pipe = pipeline()
    tensors = {}

    def add(prefix, found, rank, alpha):
        for name, weight in found.items():
            key = prefix + name.replace(".", "_")
            tensors[key + ".lora_down.weight"] = random(rank, *weight.shape[1:]) * 0.3
            tensors[key + ".lora_up.weight"] = random(weight.shape[0], rank, *[1] * (weight.dim() - 2)) * 0.2
            tensors[key + ".alpha"] = torch.tensor(float(alpha))

    block = "up_blocks.2.attentions.1.transformer_blocks.0."
    add("lora_unet_", layers(pipe.unet, [
        block + "attn1.to_q", block + "attn1.to_out.0", block + "attn2.to_v", block + "ff.net.0.proj",
        "up_blocks.2.attentions.1.proj_out", "mid_block.attentions.0.proj_in", "down_blocks.0.resnets.1.conv2",
        "down_blocks.3.resnets.0.time_emb_proj", "up_blocks.1.upsamplers.0.conv"]), 4, 2)
    inside = "text_model.encoder.layers.1."
    add("lora_te_", layers(pipe.text_encoder, [
        inside + "self_attn.k_proj", inside + "self_attn.out_proj", inside + "mlp.fc2"]), 2, 3)
    save_file(tensors, LORA / "kohya.safetensors")


def processor():
    """As diffusers wrote attention processors before PEFT."""
    tensors = {}
    block = "unet.down_blocks.1.attentions.0.transformer_blocks.0."
    unet = pipeline().unet
    for part in ("to_q", "to_out.0"):
        weight = unet.get_submodule(block[len("unet."):] + "attn1." + part).weight
        key = block + "attn1.processor." + part.replace(".0", "") + "_lora."
        tensors[key + "down.weight"] = random(2, weight.shape[1]) * 0.3
        tensors[key + "up.weight"] = random(weight.shape[0], 2) * 0.3
    save_file(tensors, LORA / "processor.safetensors")


def outputs(name, pipe):
    inputs = torch.Generator().manual_seed(7)
    sample, prompt = torch.randn(1, 4, 8, 8, generator=inputs), torch.randn(1, 5, 32, generator=inputs)
    ids = torch.randint(3, 300, (1, 9), generator=inputs)
    with torch.no_grad():
        out = pipe.unet(sample, torch.tensor(481), prompt).sample
        save_file({"sample": sample, "timestep": torch.tensor(481), "encoder_hidden_states": prompt, "out": out},
                  LORA / f"unet-{name}.safetensors")
        last = pipe.text_encoder(ids).last_hidden_state
        save_file({"input_ids": ids, "last_hidden_state": last}, LORA / f"text-{name}.safetensors")


def fused(*files, scale):
    pipe = pipeline()
    for file in files:
        pipe.load_lora_weights(LORA, weight_name=file + ".safetensors", adapter_name=file)
    fits = [part for part in ("unet", "text_encoder") if getattr(getattr(pipe, part), "peft_config", None)]
    pipe.fuse_lora(components=fits, lora_scale=scale)
    return pipe


def together():
    pipe = pipeline()
    for file in ("peft", "kohya"):
        pipe.load_lora_weights(LORA, weight_name=file + ".safetensors", adapter_name=file)
    pipe.set_adapters(["peft", "kohya"], [0.7, -0.4])
    return pipe


def joint_outputs(name, model):
    inputs = torch.Generator().manual_seed(8)
    config = model.config
    named = {
        "hidden_states": torch.randn(1, config.in_channels, 8, 8, generator=inputs),
        "timestep": torch.tensor([481.0]),
        "encoder_hidden_states": torch.randn(1, 5, config.joint_attention_dim, generator=inputs),
        "pooled_projections": torch.randn(1, config.pooled_projection_dim, generator=inputs)}
    with torch.no_grad():
        save_file(named | {"out": model(**named).sample}, LORA / f"transformer-{name}.safetensors")


def stable_diffusion_3():
    model = transformer()
    tensors = adapted(model, LoraConfig(
        r=3, lora_alpha=2, init_lora_weights=False,
        target_modules=r"transformer_blocks\.[01]\.(attn\.(to_q|add_k_proj|to_out\.0|to_add_out)|norm1\.linear)"
                       r"|pos_embed\.proj|proj_out"))
    with tempfile.TemporaryDirectory() as folder:
        StableDiffusion3Pipeline.save_lora_weights(
            folder, tensors, weight_name="transformer.safetensors",
            transformer_lora_adapter_metadata=_collate_lora_metadata({"transformer": model})[
                "transformer_lora_adapter_metadata"])
        (LORA / "transformer.safetensors").write_bytes((Path(folder) / "transformer.safetensors").read_bytes())
    model = transformer()
    model.load_lora_adapter(LORA, weight_name="transformer.safetensors", prefix="transformer")
    model.fuse_lora(lora_scale=0.7)
    joint_outputs("peft", model)


def original(weights, depth):
    """Stable Diffusion 3's weights under their original names."""
    found = {}

    def take(name, other):
        for end in (".weight", ".bias"):
            if other + end in weights:
                found[name + end] = weights[other + end]

    def join(name, others):
        for end in (".weight", ".bias"):
            if others[0] + end in weights:
                found[name + end] = torch.cat([weights[other + end] for other in others])

    def swap(name, other):
        for end in (".weight", ".bias"):
            scale, shift = weights[other + end].chunk(2)
            found[name + end] = torch.cat([shift, scale])

    take("x_embedder.proj", "pos_embed.proj")
    found["pos_embed"] = weights["pos_embed.pos_embed"]
    take("context_embedder", "context_embedder")
    for i, linear in ((0, "linear_1"), (2, "linear_2")):
        take(f"t_embedder.mlp.{i}", f"time_text_embed.timestep_embedder.{linear}")
        take(f"y_embedder.mlp.{i}", f"time_text_embed.text_embedder.{linear}")
    for i in range(depth):
        there, here, last = f"joint_blocks.{i}.", f"transformer_blocks.{i}.", i == depth - 1
        join(there + "x_block.attn.qkv", [f"{here}attn.to_{part}" for part in "qkv"])
        join(there + "context_block.attn.qkv", [f"{here}attn.add_{part}_proj" for part in "qkv"])
        take(there + "x_block.attn.proj", here + "attn.to_out.0")
        for block, here_too in (("x_block", "attn.norm_"), ("context_block", "attn.norm_added_")):
            take(f"{there}{block}.attn.ln_q", here + here_too + "q")
            take(f"{there}{block}.attn.ln_k", here + here_too + "k")
        if here + "attn2.to_q.weight" in weights:
            join(there + "x_block.attn2.qkv", [f"{here}attn2.to_{part}" for part in "qkv"])
            take(there + "x_block.attn2.proj", here + "attn2.to_out.0")
            take(there + "x_block.attn2.ln_q", here + "attn2.norm_q")
            take(there + "x_block.attn2.ln_k", here + "attn2.norm_k")
        take(there + "x_block.adaLN_modulation.1", here + "norm1.linear")
        take(there + "x_block.mlp.fc1", here + "ff.net.0.proj")
        take(there + "x_block.mlp.fc2", here + "ff.net.2")
        if last:
            swap(there + "context_block.adaLN_modulation.1", here + "norm1_context.linear")
        else:
            take(there + "context_block.adaLN_modulation.1", here + "norm1_context.linear")
            take(there + "context_block.attn.proj", here + "attn.to_add_out")
            take(there + "context_block.mlp.fc1", here + "ff_context.net.0.proj")
            take(there + "context_block.mlp.fc2", here + "ff_context.net.2")
    take("final_layer.linear", "proj_out")
    swap("final_layer.adaLN_modulation.1", "norm_out.linear")
    return found


def joint():
    model = transformer()
    config = model.config
    weights = original(model.state_dict(), config.num_layers)
    tensors = {}
    last = config.num_layers - 1
    dual = config.dual_attention_layers[0]
    for name in ["joint_blocks.0.x_block.attn.qkv", f"joint_blocks.{dual}.x_block.attn2.qkv",
                 "joint_blocks.0.context_block.attn.qkv", "joint_blocks.0.context_block.attn.proj",
                 "joint_blocks.0.x_block.adaLN_modulation.1", "joint_blocks.0.context_block.mlp.fc1",
                 f"joint_blocks.{last}.context_block.adaLN_modulation.1", "final_layer.adaLN_modulation.1"]:
        weight = weights[name + ".weight"]
        down, up = random(2, weight.shape[1]) * 0.3, random(weight.shape[0], 2) * 0.2
        weights[name + ".weight"] = weight + 0.7 * 3 / 2 * up @ down
        key = "lora_unet_" + name.replace(".", "_")
        tensors |= {key + ".lora_down.weight": down, key + ".lora_up.weight": up, key + ".alpha": torch.tensor(3.0)}
    save_file(tensors, LORA / "joint.safetensors")
    model.load_state_dict(convert_sd3_transformer_checkpoint_to_diffusers(dict(weights)), strict=True)
    joint_outputs("joint", model)


PROMPTS = [
    "<house>", "a photo of a <house>", "a sneaker like <blob>", "<blob> and <house>, <blob>", "A <HOUSE> bag",
    "trouser<house>trouser", "the second of <blob>_1", "a dress in the style of <blob> beside a bag and a sandal, <house>"]


def embeddings():
    save_file({"<house>": random(64) * 0.5}, EMBEDDING / "house.safetensors")
    save_file({"emb_params": random(3, 64) * 0.5}, EMBEDDING / "blob.safetensors")
    folder = GOLDEN / "fashion-ldm"
    pipe = StableDiffusionPipeline(
        vae=None,
        text_encoder=CLIPTextModel.from_pretrained(folder / "text_encoder", torch_dtype=torch.float32).eval(),
        tokenizer=CLIPTokenizerFast.from_pretrained(folder / "tokenizer"),
        unet=None,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False)
    pipe.load_textual_inversion(EMBEDDING, weight_name="house.safetensors")
    pipe.load_textual_inversion(EMBEDDING, weight_name="blob.safetensors", token="<blob>")
    tensors = {}
    for i, prompt in enumerate(PROMPTS):
        converted = pipe.maybe_convert_prompt(prompt, pipe.tokenizer)
        ids = pipe.tokenizer(converted, padding="max_length", truncation=True, max_length=16, return_tensors="pt")
        with torch.no_grad():
            embeds = pipe.encode_prompt(prompt, "cpu", 1, False)[0]
        print(prompt, "->", converted, ids.input_ids[0].tolist())
        tensors |= {f"{i}.ids": ids.input_ids[0], f"{i}.embeds": embeds[0].contiguous()}
    save_file(tensors, EMBEDDING / "golden.safetensors", metadata={str(i): text for i, text in enumerate(PROMPTS)})


LORA.mkdir(exist_ok=True)
EMBEDDING.mkdir(exist_ok=True)
peft()
kohya()
processor()
outputs("none", pipeline())
outputs("peft", fused("peft", scale=0.7))
outputs("kohya", fused("kohya", scale=0.7))
outputs("processor", fused("processor", scale=0.7))
outputs("two", together())
stable_diffusion_3()
joint()
embeddings()
