package latentmix.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageNamesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Thumbs.db",
                "desktop.ini",
                "ehthumbs_vista.db",
                "notes.txt",
                "a.json",
                "labels.csv",
                "a.xml",
                "README.md",
                "README",
                "LICENSE",
                "_SUCCESS",
                ".DS_Store",
                ".a.jpg",
                "._DSC0001.JPG",
                ".gitattributes",
                "Icon\r",
                "a.jpg.part",
                "a.png.txt",
                "clip.mp4",
                "shard.tar",
                "page.html",
                "paper.pdf",
                "weights.safetensors",
                "a.jpg~",
                "sidecar.XMP",
                "part-0000.parquet"
            })
    void theseAreNoImagesByTheirNames(String name) {
        assertThat(ImageNames.isIgnored(name)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a.jpg",
                "_DSC0001.JPG",
                "_MG_77.JPG",
                "a.JPEG",
                "a.jfif",
                "a.png",
                "a.webp",
                "a.gif",
                "a.bmp",
                "a.tif",
                "a.TIFF",
                "a.heic",
                "a.HEIF",
                "a.avif",
                "a.jxl",
                "a.jp2",
                "a.svg",
                "a.psd",
                "a.ico",
                "a.exr",
                "a.dds",
                "a.tga",
                "a.cr2",
                "a.CR3",
                "a.nef",
                "a.dng",
                "a.3fr",
                "notes.txt.png",
                "caf\u00e9.png"
            })
    void theseClaimToBeImages(String name) {
        assertThat(ImageNames.isIgnored(name)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a",
                "_background_noise_",
                "n01440764",
                "3f786850e387550f",
                "a.",
                "scan.0001",
                "version 1.5",
                "Mr. Smith",
                "cat.jpg?width=300",
                "photo.jpg:large"
            })
    void whatHasNoSuffixMayBeAnImage(String name) {
        assertThat(ImageNames.isIgnored(name)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "a.HEIC, .heic",
        "_MG_1.avif, .avif",
        "a.svg, .svg",
        "IMG_1.CR3, .cr3",
        "a.btf, .btf",
        "a.JPG, ''",
        "a.tiff, ''",
        "a.webp, ''",
        "a.txt, ''",
        "heic, ''",
        "scan.0001, ''"
    })
    void aFormatThatIsNotReadIsToldByTheName(String name, String suffix) {
        assertThat(ImageNames.unreadable(name).orElse("")).isEqualTo(suffix);
    }

    @Test
    void lettersFollowNoLocale() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("tr"));
            assertThat(ImageNames.isIgnored("A.TIF")).isFalse();
            assertThat(ImageNames.isIgnored("A.INI")).isTrue();
        } finally {
            Locale.setDefault(before);
        }
    }
}
