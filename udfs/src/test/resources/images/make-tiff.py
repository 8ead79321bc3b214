"""Makes the TIFF files and what Pillow reads in them; see README.md.

pip install pillow==13.0.0 numpy==2.* imagecodecs==2026.3.6; python make-tiff.py
Directories are written here, as no library writes all these kinds. Pillow (libtiff) reads them, over white.
"""
import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image, ImageCms, ImageOps

HERE = Path(__file__).parent
rgb = np.asarray(Image.open(HERE / "rgb.png").convert("RGB"))
rgba = np.asarray(Image.open(HERE / "rgba.png"))
grey = np.asarray(Image.open(HERE / "grey-8.png").convert("L"))
COMPRESSIONS = {1: bytes, 5: imagecodecs.lzw_encode, 8: imagecodecs.zlib_encode, 32773: None}


def packed(row, bits, order):
    if bits == 16:
        return row.astype(order + "u2").tobytes()
    if bits == 8:
        return row.astype(np.uint8).tobytes()
    bit = (row[:, None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(bit.astype(np.uint8).ravel()).tobytes()


def predicted(part):
    return np.concatenate([part[:, :1], np.diff(part.astype(np.int64), axis=1)], 1) & (65535 if part.dtype == np.uint16 else 255)


def page(at, order, pixels, bits, photometric, compression, tile, rows, planar, predictor, more):
    """The data and the directory of one page, which begins at an offset of the file."""
    height, width, samples = pixels.shape
    parts = []
    for plane in np.split(pixels, samples, 2) if planar == 2 else [pixels]:
        if tile:
            whole = np.pad(plane, ((0, -height % tile), (0, -width % tile), (0, 0)), "edge")
            parts += [whole[y:y + tile, x:x + tile] for y in range(0, height, tile) for x in range(0, width, tile)]
        else:
            parts += [plane[y:y + rows] for y in range(0, height, rows)]
    data, offsets, sizes = b"", [], []
    for part in parts:
        part = predicted(part) if predictor == 2 else part
        lines = [packed(line.reshape(-1), bits, order) for line in part]
        if compression == 32773:
            coded = b"".join(imagecodecs.packbits_encode(line) for line in lines)
        else:
            coded = COMPRESSIONS[compression](b"".join(lines))
        offsets.append(at + len(data))
        sizes.append(len(coded))
        data += coded + b"\0" * (len(coded) % 2)
    tags = {256: (3, [width]), 257: (3, [height]), 258: (3, [bits] * samples), 259: (3, [compression]),
            262: (3, [photometric]), 277: (3, [samples]), 284: (3, [planar]), **more}
    if predictor == 2:
        tags[317] = 3, [2]
    if tile:
        tags |= {322: (3, [tile]), 323: (3, [tile]), 324: (4, offsets), 325: (4, sizes)}
    else:
        tags |= {273: (4, offsets), 278: (3, [rows]), 279: (4, sizes)}
    entries, at = b"", at + len(data)
    for tag, (kind, values) in sorted(tags.items()):
        value = struct.pack(order + str(len(values)) + {1: "B", 3: "H", 4: "I", 7: "B"}[kind], *values)
        if len(value) > 4:
            data, at, value = data + value + b"\0" * (len(value) % 2), at + len(value) + len(value) % 2, struct.pack(order + "I", at)
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + value.ljust(4, b"\0")
    return data, struct.pack(order + "H", len(tags)) + entries, at


def tiff(*pages, order="<"):
    file = {"<": b"II*\0", ">": b"MM\0*"}[order] + b"\0" * 4
    link = 4
    for made in pages:
        data, directory, at = page(len(file), order, **made)
        file = file[:link] + struct.pack(order + "I", at) + file[link + 4:] + data + directory + b"\0" * 4
        link = len(file) - 4
    return file


def a(pixels, photometric, bits=8, compression=5, tile=0, rows=16, planar=1, predictor=1, **more):
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    return dict(pixels=pixels, photometric=photometric, bits=bits, compression=compression, tile=tile, rows=rows,
                planar=planar, predictor=predictor, more={int(tag[1:]): value for tag, value in more.items()})


def expect(name, image):
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image.convert("RGB").save(HERE / (name + ".ppm"))


def pillow_reads(name):
    expect(name, ImageOps.exif_transpose(Image.open(HERE / name)))


def write(name, *pages, order="<", expected=None):
    (HERE / name).write_bytes(tiff(*pages, order=order))
    expect(name, expected) if expected else pillow_reads(name)


wide = rgb.astype(np.uint16) * 213
wide_grey = grey.astype(np.uint16) * 213
write("rgb-plain.tif", a(rgb, 2, compression=1))
write("rgb-lzw.tif", a(rgb, 2))
write("rgb-deflate-predictor.tif", a(rgb, 2, compression=8, predictor=2))
write("rgb-packbits-motorola.tif", a(rgb, 2, compression=32773), order=">")
write("rgb-tiles.tif", a(rgb, 2, tile=32))
write("rgb-planes.tif", a(rgb, 2, planar=2))
write("rgb-orientation-6.tif", a(rgb, 2, t274=(3, [6])))
write("rgb-two-pages.tif", a(rgb, 2), a(255 - rgb, 2))
write("rgbx.tif", a(np.dstack([rgb, grey]), 2, t338=(3, [0])), expected=Image.fromarray(rgb))
write("rgba.tif", a(rgba, 2, t338=(3, [2])))
multiplied = np.dstack([np.round(rgba[..., :3] * (rgba[..., 3:] / 255)).astype(np.uint8), rgba[..., 3:]])
write("rgba-associated.tif", a(multiplied, 2, t338=(3, [1])))
rounded = Image.fromarray(np.round(wide / 257).astype(np.uint8))  # Pillow would cut the 16 bits off
write("rgb-16.tif", a(wide, 2, bits=16, predictor=2), expected=rounded)
write("rgb-16-motorola.tif", a(wide, 2, bits=16, compression=8), order=">", expected=rounded)
write("grey-16.tif", a(wide_grey, 1, bits=16), expected=Image.fromarray(np.round(wide_grey / 257).astype(np.uint8)))
write("grey-8.tif", a(grey, 1))
write("grey-white-is-zero.tif", a(255 - grey, 0))
write("grey-16-white-is-zero.tif", a(65535 - wide_grey, 0, bits=16), expected=Image.fromarray(np.round(wide_grey / 257).astype(np.uint8)))
for bits in 1, 2, 4:
    write(f"grey-{bits}.tif", a(grey >> (8 - bits), 1, bits=bits))
write("bilevel-white-is-zero.tif", a(1 - (grey >> 7), 0, bits=1, compression=32773))
for bits in 1, 4, 8:
    image = Image.fromarray(rgb).quantize(1 << bits)
    palette = np.zeros((1 << bits, 3), np.uint16)
    colours = np.asarray(image.getpalette()).reshape(-1, 3)[:1 << bits]
    palette[:len(colours)] = colours
    write(f"palette-{bits}.tif", a(np.asarray(image), 3, bits=bits, t320=(3, [int(v) for v in palette.T.ravel() * 257])),
          expected=image.convert("RGB"))
cmyk = np.asarray(Image.fromarray(rgb).convert("CMYK"))
black = np.uint8(40)
inks = np.dstack([cmyk[..., :3], np.full_like(grey, black)])
write("cmyk.tif", a(inks, 5))
adobe = imagecodecs.cms_profile("adobergb")
profile = {"t34675": (7, list(adobe))}
srgb = ImageCms.createProfile("sRGB")
converted = ImageCms.profileToProfile(Image.fromarray(rgb), ImageCms.ImageCmsProfile(io.BytesIO(adobe)), srgb)
write("profile-adobe-rgb.tif", a(rgb, 2, **profile), expected=converted)
Image.fromarray(grey > 127).save(HERE / "bilevel-group4.tif", compression="group4")
pillow_reads("bilevel-group4.tif")
Image.fromarray(rgb).save(HERE / "rgb-jpeg.tif", compression="jpeg", quality=90)
pillow_reads("rgb-jpeg.tif")
Image.fromarray(grey).save(HERE / "grey-jpeg.tif", compression="jpeg", quality=90)
pillow_reads("grey-jpeg.tif")

# To be refused: a camera's RAW, Lab, floats, Zstandard, BigTIFF
(HERE / "refused-dng.tif").write_bytes(tiff(a(grey[:4, :4], 1, t50706=(1, [1, 4, 0, 0]))))
(HERE / "refused-lab.tif").write_bytes(tiff(a(rgb[:4, :4], 8)))
(HERE / "refused-float.tif").write_bytes(tiff(a(grey[:4, :4], 1, t339=(3, [3]))))
(HERE / "refused-zstandard.tif").write_bytes(tiff(a(grey[:4, :4], 1)).replace(b"\x03\1\3\0\1\0\0\0\5\0", b"\x03\1\3\0\1\0\0\0\x50\xc3"))
