"""Makes the files with colour profiles and what Pillow reads in them; see README.md.

pip install pillow==13.0.0 numpy==2.* imagecodecs==2026.3.6; python make-profiles.py
The pixels are rgb.png's and grey-8.png's, taken as colours of the profile. Pillow decodes, ImageCms converts
(profileToProfile with its defaults: perceptual, no black point compensation), then the image is laid over white.
"""
import io
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image, ImageCms

HERE = Path(__file__).parent
SRGB = ImageCms.createProfile("sRGB")
source = Image.open(HERE / "rgb.png").convert("RGB")
rgba = Image.open(HERE / "rgba.png")
grey = Image.open(HERE / "grey-8.png").convert("L")


def tagged(signature, data):
    return signature, data + b"\0" * (-len(data) % 4)


def icc(device_class, space, pcs, tags):
    """An ICC profile of version 2.4 with these tags."""
    tags = [tagged(b"desc", b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * 78),
            tagged(b"cprt", b"text\0\0\0\0none\0"),
            tagged(b"wtpt", b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)), *tags]
    at = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for signature, body in tags:
        table += signature + struct.pack(">II", at + len(data), len(body))
        data += body
    header = struct.pack(">I4sI4s4s4s12s4s4s", at + len(data), b"\0" * 4, 0x02400000, device_class, space, pcs,
                         struct.pack(">6H", 2026, 1, 1, 0, 0, 0), b"acsp", b"\0" * 4)
    header += b"\0" * 20 + b"\0\0\0\1" + struct.pack(">3i", 63190, 65536, 54061) + b"\0" * 48
    assert len(header) == 128
    return header + table + data


def lut(strength):
    """CMYK to Lab, lut8Type on a grid of three: each ink takes some light away."""
    body = b"mft1\0\0\0\0" + bytes([4, 3, 3, 0]) + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    body += bytes(range(256)) * 4
    for c in (0, 0.5, 1):
        for m in (0, 0.5, 1):
            for y in (0, 0.5, 1):
                for k in (0, 0.5, 1):
                    light = (1 - strength * k) * (1 - 0.3 * c) * (1 - 0.4 * m) * (1 - 0.08 * y)
                    lab = 255 * light, 128 + (60 * m - 40 * c) * light, 128 + (80 * y - 45 * c - 10 * m) * light
                    body += bytes(round(min(max(v, 0), 255)) for v in lab)
    return body + bytes(range(256)) * 3


def curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


adobe = imagecodecs.cms_profile("adobergb")
p3 = imagecodecs.cms_profile("rgb", whitepoint=(0.3127, 0.329, 1.0), gamma=2.4,
                             primaries=(0.68, 0.32, 1.0, 0.265, 0.69, 1.0, 0.15, 0.06, 1.0))
prophoto = imagecodecs.cms_profile("rgb", whitepoint=(0.3457, 0.3585, 1.0), gamma=1.8,
                                   primaries=(0.7347, 0.2653, 1.0, 0.1596, 0.8404, 1.0, 0.0366, 0.0001, 1.0))
grey18 = icc(b"mntr", b"GRAY", b"XYZ ", [tagged(b"kTRC", curve(1.8))])
inks = icc(b"prtr", b"CMYK", b"Lab ", [tagged(b"A2B0", lut(0.97)), tagged(b"A2B1", lut(0.7))])
srgb = ImageCms.ImageCmsProfile(SRGB).tobytes()
x = np.arange(1024) / 1023  # sRGB as the profiles of version 2 have it, with its curve as a table
table = np.round(65535 * np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)).astype(">u2").tobytes()
srgb2 = icc(b"mntr", b"RGB ", b"XYZ ", [
    tagged(name, b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * v) for v in xyz))) for name, xyz in
    {b"rXYZ": (0.43607, 0.22249, 0.01392), b"gXYZ": (0.38515, 0.71687, 0.09708),
     b"bXYZ": (0.14307, 0.06061, 0.71410)}.items()
] + [tagged(name, b"curv\0\0\0\0" + struct.pack(">I", 1024) + table) for name in (b"rTRC", b"gTRC", b"bTRC")])


def write(image, name):
    """What is expected: an image as Pillow shows it, over white."""
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image.convert("RGB").save(HERE / (name + ".ppm"))


def pillow_reads(name, profile, convert="RGB"):
    image = Image.open(HERE / name)
    if image.mode in ("P", "L"):
        image = image.convert(convert)
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    write(ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), SRGB,
                                    outputMode=mode), name)


def save(image, name, profile, convert="RGB", **options):
    image.save(HERE / name, icc_profile=profile, **options)
    pillow_reads(name, profile, convert)


save(source, "profile-adobe-rgb.jpg", adobe, quality=90)
save(source, "profile-adobe-rgb.png", adobe)
save(source, "profile-prophoto.webp", prophoto, lossless=True)
save(rgba, "profile-display-p3-alpha.png", p3)
save(rgba, "profile-adobe-rgb-alpha.webp", adobe, lossless=True)
save(source.quantize(64), "profile-prophoto-palette.png", prophoto)
save(grey, "profile-grey.png", grey18, convert="L")
save(grey.point(lambda v: v // 85 * 85).convert("L"), "profile-grey.jpg", grey18, convert="L", quality=90)
save(grey, "profile-adobe-rgb-on-grey.jpg", adobe, quality=90)
save(source.convert("CMYK"), "profile-inks.jpg", inks, quality=90)
pillow_reads("display-p3-profile.jpg", Image.open(HERE / "display-p3-profile.jpg").info["icc_profile"])

# 16 bits, which ImageCms has not: LittleCMS by way of imagecodecs, exact (its table of 16 bits is up to 20 levels off)
levels = (np.asarray(source).astype(np.uint16) * 213).astype(np.uint16)
(HERE / "profile-prophoto-16.png").write_bytes(imagecodecs.png_encode(levels))
png = (HERE / "profile-prophoto-16.png").read_bytes()
chunk = b"iCCPtest\0\0" + zlib.compress(prophoto)
chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
(HERE / "profile-prophoto-16.png").write_bytes(png[:33] + chunk + png[33:])
converted = imagecodecs.cms_transform(levels, prophoto, srgb, intent=imagecodecs.CMS.INTENT.PERCEPTUAL,
                                      colorspace="rgb", outcolorspace="rgb", outdtype="uint16", flags=imagecodecs.CMS.FLAGS.NOOPTIMIZE)
write(Image.fromarray(np.round(converted / 257).astype(np.uint8)), "profile-prophoto-16.png")

# sRGB's own profiles change nothing, and neither do broken ones and those of other components
for name, profile in {"srgb-profile": srgb, "srgb-profile-v2": srgb2, "broken-profile": adobe[:200],
                      "damaged-profile": adobe[:300] + bytes(len(adobe) - 300), "other-profile": inks}.items():
    source.save(HERE / (name + ".png"), icc_profile=profile)
    write(source, name + ".png")
for name in ("srgb-profile.jpg", "broken-profile.jpg"):
    plain = (HERE / "ycc-420.jpg").read_bytes()
    profile = b"ICC_PROFILE\0\1\1" + (srgb if "srgb" in name else b"\xff" * 400)
    (HERE / name).write_bytes(plain[:2] + b"\xff\xe2" + struct.pack(">H", 2 + len(profile)) + profile + plain[2:])
    (HERE / (name + ".ppm")).write_bytes((HERE / "ycc-420.jpg.ppm").read_bytes())
