#!/bin/bash
# Makes the image files of this folder and what an independent decoder reads in them; see README.md.
set -euo pipefail
cd "$(dirname "$0")"
find . -type f ! -name make.sh ! -name README.md ! -name '*.py' -delete
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
source=$scratch/source.ppm
pgm=$scratch/grey.pgm
rgba=$scratch/rgba.png
grey_alpha=$scratch/grey-alpha.png
convert -size 61x43 -seed 7 plasma:tomato-steelblue -fill gold -draw 'circle 15,14 15,5' \
    -fill white -draw 'rectangle 34,24 55,38' -fill black -draw 'line 0,42 60,3' -depth 8 "$source"
convert "$source" -colorspace gray -depth 8 "$pgm"
alpha=(-size 61x43 gradient:white-black -alpha off -compose copy_opacity -composite)
convert "$source" "${alpha[@]}" -depth 8 "PNG32:$rgba"
convert "$pgm" "${alpha[@]}" -define png:color-type=4 -depth 8 "$grey_alpha"

# What ImageMagick reads (libpng, libjpeg-turbo, its own GIF and BMP readers), over white, in the direction of EXIF.
magick_reads() { for file; do convert "${file}[0]" -auto-orient -background white -alpha remove -colorspace sRGB -depth 8 "$file.ppm"; done; }

# JPEG
cjpeg -quality 90 -sample 2x2 "$source" > ycc-420.jpg
cjpeg -quality 90 -sample 2x1 "$source" > ycc-422.jpg
cjpeg -quality 90 -sample 1x1 -progressive "$source" > ycc-444-progressive.jpg
cjpeg -quality 90 -restart 1 "$source" > restart-markers.jpg
cjpeg -quality 90 -rgb "$source" > rgb-adobe.jpg
exiftool -q -Adobe:All= -o rgb-component-names.jpg rgb-adobe.jpg
cjpeg -quality 90 "$pgm" > grey.jpg
vips icc_transform ycc-420.jpg "$scratch/p3.jpg[Q=90]" p3 --input-profile srgb && mv "$scratch/p3.jpg" display-p3-profile.jpg
convert "$source" -colorspace CMYK -quality 90 "$scratch/cmyk.jpg" && mv "$scratch/cmyk.jpg" cmyk-adobe.jpg
exiftool -q -Adobe:All= -o cmyk-unmarked.jpg cmyk-adobe.jpg
cat > "$scratch/ycck.c" <<'C'
#include <stdio.h>
#include <jpeglib.h>
/* stdin: width × height × CMYK as Adobe stores it (255 - ink); stdout: a YCCK JPEG with an Adobe marker */
int main(void) {
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr error;
    unsigned char row[61 * 4], *rows[] = {row};
    c.err = jpeg_std_error(&error);
    jpeg_create_compress(&c);
    jpeg_stdio_dest(&c, stdout);
    c.image_width = 61, c.image_height = 43, c.input_components = 4, c.in_color_space = JCS_CMYK;
    jpeg_set_defaults(&c);
    jpeg_set_colorspace(&c, JCS_YCCK);
    jpeg_set_quality(&c, 90, 1);
    jpeg_start_compress(&c, 1);
    while (fread(row, 4, 61, stdin) == 61) jpeg_write_scanlines(&c, rows, 1);
    jpeg_finish_compress(&c);
    return 0;
}
C
gcc -o "$scratch/ycck" "$scratch/ycck.c" -ljpeg
convert "$source" -colorspace CMYK -negate -depth 8 cmyk:- | "$scratch/ycck" > ycck-adobe.jpg
magick_reads ./*.jpg
djpeg cmyk-unmarked.jpg > cmyk-unmarked.jpg.ppm # ImageMagick would not invert it; libjpeg-turbo and Pillow do
for value in 1 2 3 4 5 6 7 8; do
    order=$([ $((value % 2)) = 0 ] && echo II || echo MM)
    exiftool -q -n -ExifByteOrder=$order -Orientation=$value -o exif-$value.jpg ycc-422.jpg
done
magick_reads exif-?.jpg

# PNG
convert "$source" -depth 8 PNG24:rgb.png
convert "$source" -depth 8 -interlace PNG PNG24:interlaced.png
convert "$source" -depth 16 -evaluate multiply 0.83 PNG48:rgb-16.png
convert "$pgm" -depth 16 -evaluate multiply 0.83 -define png:color-type=0 -define png:bit-depth=16 grey-16.png
convert "$rgba" -depth 16 -evaluate multiply 0.83 PNG64:rgba-16.png
convert "$pgm" -define png:color-type=0 -define png:bit-depth=8 grey-8.png
for bits in 1 2 4; do pamdepth $(((1 << bits) - 1)) "$pgm" | pnmtopng > grey-$bits.png; done
pamdepth 15 "$pgm" | pnmtopng -transparent '=#fff' > grey-4-transparent-white.png
for bits in 1 2 4 8; do convert "$source" +dither -colors $((1 << bits)) ppm:- | pnmtopng > palette-$bits.png; done
convert "$source" -transparent gold +dither -colors 64 PNG8:palette-transparent.png
cp "$rgba" rgba.png
cp "$grey_alpha" grey-alpha.png
pnmtopng -transparent '=gold' "$source" > rgb-transparent-colour.png
pnmtopng -force -transparent '=#ffffff' "$pgm" > grey-transparent-white.png
exiftool -q -q -n -Orientation=6 -o exif-6.png rgb.png
for file in *.png; do pngtopnm -mix -background '#ffffff' $file | pamdepth 255 | convert pnm:- -depth 8 -type TrueColor ppm:$file.ppm; done
pamflip -cw rgb.png.ppm > exif-6.png.ppm

# WebP: libwebp's own decoder, chroma of the lossy ones not interpolated; alpha is put over white by netpbm
cwebp -quiet -q 90 "$source" -o lossy.webp
cwebp -quiet -lossless "$source" -o lossless.webp
cwebp -quiet -lossless "$rgba" -o lossless-alpha.webp
cwebp -quiet -q 90 "$rgba" -o lossy-alpha.webp
cwebp -quiet -q 90 -alpha_method 0 "$rgba" -o plain-alpha.webp # the decoder has no reader for this: to be refused
for file in lossy lossless lossy-alpha lossless-alpha; do
    dwebp -quiet -nofancy $file.webp -o "$scratch/decoded.png"
    pngtopnm -mix -background '#ffffff' "$scratch/decoded.png" > $file.webp.ppm
done
convert exif-6.jpg "exif:$scratch/exif"
webpmux -set exif "$scratch/exif" lossless.webp -o exif-6.webp 2> /dev/null
pamflip -cw lossless.webp.ppm > exif-6.webp.ppm

# GIF and BMP
convert "$source" +dither -colors 64 palette.gif
convert "$source" +dither -colors 64 -interlace GIF interlaced.gif
convert "$source" -transparent gold +dither -colors 64 transparent.gif
convert "$source" "$source" -negate +dither -colors 64 animation.gif
convert "$source" +dither -colors 64 -repage 80x60+11+7 "$scratch/small-frame.gif" && mv "$scratch/small-frame.gif" small-frame.gif
magick_reads palette.gif interlaced.gif transparent.gif animation.gif
convert small-frame.gif -background white -flatten -depth 8 small-frame.gif.ppm
convert "$source" BMP3:rgb.bmp
convert "$rgba" BMP:alpha-v5.bmp
convert "$source" +dither -colors 200 -compress none BMP3:palette.bmp
convert "$source" +dither -colors 200 -compress RLE BMP3:run-length.bmp
convert "$source" +dither -colors 2 -type bilevel -compress none BMP3:bilevel.bmp
magick_reads ./*.bmp
