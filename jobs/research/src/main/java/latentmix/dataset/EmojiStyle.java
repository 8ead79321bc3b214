package latentmix.dataset;

import java.util.Arrays;
import java.util.List;

/**
 * Who drew an emoji: the nine sets of <a href="https://icon-sets.iconify.design/?category=Emoji">Iconify</a> that draw
 * the same things.
 */
public enum EmojiStyle {
    NOTO("noto", "1.2.9", "noto", "Google", "Apache-2.0", "googlefonts/noto-emoji"),
    NOTO_V1("noto-v1", "1.2.5", "old noto", "Google", "Apache-2.0", "googlefonts/noto-emoji"),
    FLUENT("fluent-emoji", "1.2.7", "fluent", "Microsoft", "MIT", "microsoft/fluentui-emoji"),
    FLUENT_FLAT("fluent-emoji-flat", "1.2.6", "flat fluent", "Microsoft", "MIT", "microsoft/fluentui-emoji"),
    FXEMOJI("fxemoji", "1.2.2", "firefox", "Mozilla", "Apache-2.0", "mozilla/fxemoji"),
    TWEMOJI("twemoji", "1.2.5", "twitter", "Twitter and other contributors", "CC-BY-4.0", "jdecked/twemoji"),
    EMOJIONE("emojione", "1.2.3", "emojitwo", "EmojiTwo", "CC-BY-4.0", "EmojiTwo/emojitwo"),
    EMOJIONE_V1("emojione-v1", "1.2.3", "emojione", "Emoji One", "CC-BY-SA-4.0", "joypixels/emojione-legacy"),
    OPENMOJI("openmoji", "1.2.29", "openmoji", "OpenMoji", "CC-BY-SA-4.0", "hfg-gmuend/openmoji");

    /** What a model trained on these is shipped under no share-alike licence for. */
    private static final List<EmojiStyle> SHIPPED = List.of(NOTO, NOTO_V1, FLUENT, FLUENT_FLAT, FXEMOJI, TWEMOJI);

    private final String set;
    private final String version;
    private final String word;
    private final String author;
    private final String license;
    private final String repository;

    EmojiStyle(String set, String version, String word, String author, String license, String repository) {
        this.set = set;
        this.version = version;
        this.word = word;
        this.author = author;
        this.license = license;
        this.repository = repository;
    }

    /** The set's name, which is its folder in a dataset. */
    public String set() {
        return set;
    }

    /** What a prompt calls it: {@code a flat fluent emoji of a fox}. */
    public String word() {
        return word;
    }

    /** Who drew it. */
    public String author() {
        return author;
    }

    /** The SPDX id of the licence that the package states. */
    public String license() {
        return license;
    }

    /** Whether what is made of it may be shipped with this project, which takes no share-alike works. */
    public boolean isShipped() {
        return SHIPPED.contains(this);
    }

    /** All that {@linkplain #isShipped may be shipped}. */
    static List<EmojiStyle> shipped() {
        return SHIPPED;
    }

    /** Where the drawings are published. */
    String source() {
        return "https://github.com/" + repository;
    }

    /** The npm package and its pinned version. */
    public String npmPackage() {
        return "@iconify-json/" + set + "@" + version;
    }

    /** All packages that a dataset is made of. */
    static List<String> npmPackages() {
        return Arrays.stream(values()).map(EmojiStyle::npmPackage).toList();
    }
}
