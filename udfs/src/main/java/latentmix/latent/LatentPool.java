package latentmix.latent;

import java.util.List;

/** The latents that mixtures of one class draw their inputs from; they need not fit into memory. */
public interface LatentPool {
    /** M, number of latents. */
    int size();

    Shape shape();

    /**
     * Visits every latent once, in the order of their ids, which is that of the indices; a mixer calls it for each of
     * its passes.
     */
    void forEach(Visitor visitor);

    @FunctionalInterface
    interface Visitor {
        /**
         * Sees one latent of a pool.
         *
         * @param index 0 to size - 1
         * @param values C·H·W finite values, row-major; the visitor may keep them and does not write to them
         */
        void visit(int index, double[] values);
    }

    /** A pool in memory, at least one latent, all of one shape. */
    static LatentPool of(List<Latent> latents) {
        var shape = latents.get(0).shape();
        if (!latents.stream().allMatch(latent -> latent.shape().equals(shape))) {
            throw new IllegalArgumentException("A pool's latents must all have the first one's shape, " + shape);
        }
        return new LatentPool() {
            @Override
            public int size() {
                return latents.size();
            }

            @Override
            public Shape shape() {
                return shape;
            }

            @Override
            public void forEach(Visitor visitor) {
                for (int i = 0; i < latents.size(); i++) {
                    visitor.visit(i, latents.get(i).values());
                }
            }
        };
    }
}
