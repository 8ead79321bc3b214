"""Writes the files of this folder: images in folders, and the same images as the libraries write them.

python3 -m venv v && v/bin/pip install datasets==5.2.0 webdataset==1.0.2 pyarrow==26.0.1 pillow==13.0.0 && v/bin/python make.py
"""

import io
import json
import pathlib

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import webdataset as wds
from PIL import Image

HERE = pathlib.Path(__file__).parent
NAMES = ["T - shirt / top", "été"]  # a slash, as in fashion_mnist, and an accent

rows = []
for i in range(6):
    image = Image.new("RGB", (8, 8))
    image.putdata([((i * 40 + x * 3) % 256, (x * 7) % 256, (i * x) % 256) for x in range(64)])
    out = io.BytesIO()
    image.save(out, "PNG")
    rows.append((out.getvalue(), i % 2, f"picture {i}"))
    (HERE / f"{i}.png").write_bytes(out.getvalue())

features = datasets.Features(
    {"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES), "text": datasets.Value("string")}
)
datasets.Dataset.from_dict(
    {
        "image": [{"bytes": png, "path": None} for png, _, _ in rows],
        "label": [label for _, label, _ in rows],
        "text": [text for _, _, text in rows],
    },
    features=features,
).to_parquet(HERE / "datasets.parquet")

table = pa.table(
    {
        "img": pa.array([png for png, _, _ in rows], pa.binary()),
        "class": [NAMES[label] for _, label, _ in rows],
        "caption": [text for _, _, text in rows],
    }
)
pq.write_table(
    table,
    HERE / "pyarrow.parquet",
    row_group_size=4,
    data_page_size=1,
    write_batch_size=1,
    data_page_version="2.0",
    compression="snappy",
    use_dictionary=["class", "img"],
    write_page_index=False,
)
pq.write_table(table, HERE / "pyarrow-plain.parquet", use_dictionary=False, compression="gzip", data_page_size=1,
               write_batch_size=1)

with wds.TarWriter(str(HERE / "webdataset.tar"), mtime=0) as tar:
    for i, (png, label, text) in enumerate(rows):
        key = f"{'long-' * 30}{i}" if i == 3 else f"sample{i}"
        sample = {"__key__": key, "png": png, "txt": text}
        sample.update({"cls": label} if i < 3 else {"json": {"label": label, "width": 8}})
        tar.write(sample)
