package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import latentmix.table.ContentId;

/** Images of one class that enter the dataset together. */
public sealed interface ExportChunk extends OfClass.Labelled, Serializable {
    /** Whether a model made an image. */
    enum Split {
        MADE,
        REAL;

        /** As the dataset spells it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The chunk's id in the dataset: it tells what is in it and as what it is exported. */
    String id();

    Split split();

    /** How many images are asked of it. */
    int rows();

    /**
     * A chunk of the generated table.
     *
     * @param generated its id in the generated table
     * @param mixed the id of the mixed table's chunk that it was generated from
     * @param rows how many of the mixtures, the first ones by k, enter the dataset
     * @param share of the generated chunk's rows that these are, 0 to 1
     * @param judged the chunk of the judged table that says which mixtures are kept; empty where all are
     * @param byHand what a person decided of them, which counts above all else
     * @param isSoft whether its mixtures have inputs of other classes
     */
    record Made(
            String id,
            ClassLabel label,
            String generated,
            String mixed,
            int rows,
            double share,
            String judged,
            ByHand byHand,
            boolean isSoft)
            implements ExportChunk {
        /** A chunk all of whose images are kept. */
        public Made(String id, ClassLabel label, String generated, String mixed, int rows, double share) {
            this(id, label, generated, mixed, rows, share, "", ByHand.NOTHING, false);
        }

        /** The chunk of these mixtures. */
        public static Made of(String generationId, MixedChunk mixed, String exportId, ByHand byHand) {
            String generated = GenerationChunk.id(generationId, mixed.id());
            String images = mixed.judged().isEmpty() ? generated : mixed.judged();
            String id = ContentId.of(exportId, images, Integer.toString(mixed.exported()));
            if (!byHand.isNothing()) {
                id = ContentId.of(id, String.join(",", byHand.kept()), String.join(",", byHand.dropped()));
            }
            double share = (double) Math.max(mixed.exported(), byHand.kept().size()) / mixed.rows();
            return new Made(
                    id,
                    mixed.label(),
                    generated,
                    mixed.id(),
                    mixed.exported(),
                    share,
                    mixed.judged(),
                    byHand,
                    mixed.isSoft());
        }

        @Override
        public Split split() {
            return Split.MADE;
        }
    }

    /**
     * The source images of a chunk of the inverted table.
     *
     * @param inverted its id there
     * @param leftOut the ids of its images that do not count
     */
    record Real(String id, ClassLabel label, String inverted, int rows, List<String> leftOut) implements ExportChunk {
        public Real {
            leftOut = List.copyOf(leftOut);
        }

        /** The chunk of these images. */
        public static Real of(InversionChunk chunk, String exportId) {
            String id = ContentId.of(exportId, Catalog.without(chunk.id(), chunk.leftOut()));
            return new Real(id, chunk.label(), chunk.id(), chunk.rows(), chunk.leftOut());
        }

        @Override
        public Split split() {
            return Split.REAL;
        }
    }
}
