package latentmix.source;

import java.util.List;

/**
 * What a source has for a class.
 *
 * @param images files that may be images, sorted by path
 */
public record Listing(List<ImageFile> images) {
    public Listing {
        images = List.copyOf(images);
    }
}
