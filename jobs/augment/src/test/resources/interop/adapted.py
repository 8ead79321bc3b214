"""Loads tokens and LoRAs that were learnt with diffusers, and compares what the networks say with them.

usage: adapted.py MODEL EXPECTED
MODEL is the checkpoint's folder. EXPECTED is JSON, a list of: file, token, prompt, vectors, and embeds, the prompt's
embeddings row by row; lora, another file, and of the U-Net with it sample, shape, timestep and output.
"""

import json
import sys

import torch
from diffusers import StableDiffusionPipeline

model, expected = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))
pipeline = StableDiffusionPipeline.from_pretrained(model, safety_checker=None, torch_dtype=torch.float32)
tokenizer = pipeline.tokenizer
for one in expected:
    before = len(tokenizer)
    pipeline.load_textual_inversion(one["file"])
    assert len(tokenizer) == before + one["vectors"], f"{one['token']}: {len(tokenizer) - before} tokens"
    assert tokenizer.convert_tokens_to_ids(one["token"]) == before, one["token"]
    prompt = pipeline.maybe_convert_prompt(one["prompt"], tokenizer)
    ids = tokenizer(
        prompt, padding="max_length", max_length=tokenizer.model_max_length, truncation=True, return_tensors="pt"
    ).input_ids
    with torch.no_grad():
        embeds = pipeline.text_encoder(ids)[0].flatten()
    error = (embeds - torch.tensor(one["embeds"])).abs().max().item()
    assert error < 1e-4, f"{one['prompt']}: {error}"
    print(f"{one['token']}: {one['vectors']} vectors, embeddings within {error:.1e}")

    def predicted():
        sample = torch.tensor(one["sample"]).reshape(one["shape"])
        prompt = torch.tensor(one["embeds"]).reshape(1, tokenizer.model_max_length, -1)
        with torch.no_grad():
            return pipeline.unet(sample, one["timestep"], encoder_hidden_states=prompt).sample.flatten()

    output = torch.tensor(one["output"])
    plain = (predicted() - output).abs().max().item()
    pipeline.load_lora_weights(one["lora"])
    error = (predicted() - output).abs().max().item()
    pipeline.unload_lora_weights()
    assert error < 1e-4 < plain / 10, f"{one['lora']}: {error}, without it {plain}"
    print(f"{one['token']}: the U-Net with its LoRA within {error:.1e}, without it {plain:.1e}")
