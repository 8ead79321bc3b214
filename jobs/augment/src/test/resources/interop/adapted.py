"""Loads tokens that were learnt with diffusers, and compares the embeddings of prompts with them.

usage: adapted.py MODEL EXPECTED
MODEL is the checkpoint's folder. EXPECTED is JSON, a list of: file, token, prompt, vectors, and embeds, the prompt's
embeddings row by row.
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
