"""Loads an exported dataset with the readers that people use, and compares what they give with what was exported.

usage: load.py DATASET EXPECTED
DATASET is the folder with the card. EXPECTED is JSON: names, the class names by label; formats, in the configuration's
order; images, by file name without its ending: label, folder, split and the SHA-256 of the RGB bytes.
"""

import glob
import hashlib
import json
import os
import re
import sys
import xml.etree.ElementTree

import datasets

dataset, expected = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))
images, names, formats = expected["images"], expected["names"], expected["formats"]
MARK = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def pixels(image):
    assert image.mode == "RGB", image.mode
    return hashlib.sha256(image.tobytes()).hexdigest()


def stem(path):
    return os.path.splitext(os.path.basename(path))[0]


def check(reader, found):
    """found: key, image and label of each row; the label may be None where the reader has none."""
    seen = {}
    for key, image, label in found:
        assert key in images, f"{reader}: {key} was not exported"
        assert key not in seen, f"{reader}: {key} came twice"
        assert pixels(image) == images[key]["pixels"], f"{reader}: {key} has other pixels"
        assert label is None or label == images[key]["label"], f"{reader}: {key} is {label}, not {images[key]}"
        seen[key] = label
    assert len(seen) == len(images), f"{reader}: {len(seen)} images, not {len(images)}"
    print(f"{reader}: {len(seen)} images")


def row(one):
    return one["mix_id"] or "real-" + one["source_ids"][0]


def load(*args, **options):
    return datasets.load_dataset(*args, split="train", **options)


def hugging_face(reader, data):
    label = data.features["label"]
    if isinstance(label, datasets.ClassLabel):
        assert label.names == names, f"{reader}: {label.names}"
    check(reader, ((row(one), one["image"], one["label"]) for one in data))
    for one in data:
        assert one["class_name"] == names[one["label"]]
        assert one["split"] == images[row(one)]["split"]
    return data


def tars(reader, data):
    check(reader, ((one["__key__"], one["png"], one["cls"]) for one in data))
    for one in data:
        assert one["json"]["class_name"] == names[one["cls"]]


def mark(image, key):
    packet = image.info.get("XML:com.adobe.xmp", "")
    if images[key]["split"] == "made":
        assert packet, f"{key} has no mark"
        said = {element.tag: element.text for element in xml.etree.ElementTree.fromstring(packet).iter()}
        assert said["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"] == MARK, said
        assert said["{http://purl.org/dc/elements/1.1/}identifier"] == key, said
    else:
        assert not packet


def parquet():
    data = hugging_face("parquet builder", load("parquet", data_files=f"{dataset}/parquet/*.parquet"))
    assert isinstance(data.features["label"], datasets.ClassLabel)
    for one in data:
        mark(one["image"], row(one))
    streamed = datasets.load_dataset(
        "parquet", data_files=f"{dataset}/parquet/*.parquet", split="train", streaming=True)
    check("parquet builder, streaming", ((row(one), one["image"], one["label"]) for one in streamed))
    sampled(data)


def sampled(data):
    """The card's own lines."""
    lines = open(f"{dataset}/README.md", encoding="utf-8").read()
    code = next(block for block in re.findall(r"```python\n(.*?)```", lines, re.S) if "WeightedRandomSampler" in block)
    scope = {"data": data}
    exec(code, scope)
    batch = next(iter(scope["loader"]))
    assert batch["image"].shape[1] == 3 and len(batch["label"]) == min(64, len(data)), batch
    share = (scope["weights"] * scope["made"]).sum() / scope["weights"].sum()
    assert abs(share - scope["p"]) < 1e-6, share
    print("the card's lines sample a batch")


def webdataset():
    import webdataset

    tars("webdataset builder", load("webdataset", data_files=f"{dataset}/webdataset/*.tar"))
    shards = sorted(glob.glob(f"{dataset}/webdataset/*.tar"))
    data = webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("__key__", "png", "cls")
    check("webdataset", data)


def folders():
    import torchvision

    hugging_face("imagefolder builder", load("imagefolder", data_files=f"{glob.escape(dataset)}/images/**"))
    data = torchvision.datasets.ImageFolder(f"{dataset}/images")
    classes = [data.classes[i] for _, i in data.samples]
    check("torchvision", ((stem(path), data[i][0], None) for i, (path, _) in enumerate(data.samples)))
    for (path, _), folder in zip(data.samples, classes):
        assert folder == images[stem(path)]["folder"], path


def card():
    data = load(dataset)
    (tars if "cls" in data.features else hugging_face)("the card", data)
    configs = datasets.get_dataset_config_names(dataset)
    if "real" in configs:
        for split in ("made", "real"):
            expected_rows = sum(image["split"] == split for image in images.values())
            assert len(load(dataset, split)) == expected_rows
    print("the card has", *configs)


def croissant():
    import mlcroissant

    description = mlcroissant.Dataset(jsonld=f"{dataset}/croissant.json")
    issues = description.metadata.issues
    assert not issues.errors, issues.errors
    if "parquet" in formats:
        found = list(description.records("rows"))
        check("mlcroissant rows", (
            (stem(text(one["rows/file"])), one["rows/image"], one["rows/label"]) for one in found))
        assert {text(one["rows/class_name"]) for one in found} == {names[image["label"]] for image in images.values()}
    if "images" in formats:
        found = list(description.records("files"))
        assert len(found) == len(images), len(found)
        assert {text(one["files/folder"]) for one in found} == {image["folder"] for image in images.values()}
    print("mlcroissant: no errors")


def text(value):
    return value.decode() if isinstance(value, bytes) else value


readers = {"parquet": parquet, "webdataset": webdataset, "images": folders}
for name in formats:
    readers[name]()
card()
croissant()
