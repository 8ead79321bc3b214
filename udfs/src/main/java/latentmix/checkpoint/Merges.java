package latentmix.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import latentmix.codec.LittleEndian;

/**
 * What a view's component has beside the tensors of its weight files: products of low rank that are added to them, and
 * rows that follow theirs.
 *
 * <p>W' = W + Σ scale · ratio · B A, in float32, each sum in double. A kernel (O, I, H, W) is a matrix of O rows here.
 *
 * @param products by the name of the tensor that they are added to
 * @param rows by the name of the tensor whose rows they follow
 * @see <a href="https://arxiv.org/abs/2106.09685">Hu et al., LoRA: Low-Rank Adaptation of Large Language Models</a>
 */
record Merges(SortedMap<String, List<Product>> products, SortedMap<String, List<Rows>> rows) {
    /** The file of a component's folder that says it. */
    static final String FILE = "latentmix_merges.json";

    private static final String PRODUCTS = "products";
    private static final String ROWS = "rows";
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * One product.
     *
     * @param file the name of the file beside that has both factors
     * @param down the name of A, (rank, …)
     * @param up the name of B, (rows, rank)
     * @param scale what the configuration says
     * @param ratio alpha over the rank
     * @param from the row of B that the first row takes; after the last comes the first
     */
    record Product(String file, String down, String up, double scale, double ratio, long from) {}

    /**
     * One or several rows.
     *
     * @param file the name of the file beside that has them
     * @param tensor their name there: (count, width) or (width)
     */
    record Rows(String file, String tensor) {
        /** How many. */
        long count(Map<String, Safetensors> beside) {
            List<Long> shape = beside.get(file).tensor(tensor).shape();
            return shape.size() == 1 ? 1 : shape.get(0);
        }
    }

    /** Nothing yet. */
    static Merges none() {
        return new Merges(new TreeMap<>(), new TreeMap<>());
    }

    /** What is said in a component's folder, which mostly is nothing. */
    static Merges of(Path folder) {
        Merges merges = none();
        if (!Files.exists(folder.resolve(FILE))) {
            return merges;
        }
        JsonNode json = JsonObject.read(folder.resolve(FILE)).json();
        json.path(PRODUCTS).properties().forEach(entry -> entry.getValue()
                .forEach(node -> merges.add(
                        entry.getKey(),
                        new Product(
                                node.path("file").asText(),
                                node.path("down").asText(),
                                node.path("up").asText(),
                                node.path("scale").asDouble(),
                                node.path("ratio").asDouble(),
                                node.path("from").asLong()))));
        json.path(ROWS).properties().forEach(entry -> entry.getValue()
                .forEach(node -> merges.add(
                        entry.getKey(),
                        new Rows(node.path("file").asText(), node.path("tensor").asText()))));
        return merges;
    }

    void add(String key, Product product) {
        products.computeIfAbsent(key, none -> new ArrayList<>()).add(product);
    }

    void add(String key, Rows more) {
        rows.computeIfAbsent(key, none -> new ArrayList<>()).add(more);
    }

    void addAll(Merges others) {
        others.products.forEach((key, all) -> all.forEach(one -> add(key, one)));
        others.rows.forEach((key, all) -> all.forEach(one -> add(key, one)));
    }

    /** How many tensors a file beside adds products to. */
    long layers(String file) {
        return products.values().stream()
                .filter(all -> all.stream().anyMatch(one -> one.file().equals(file)))
                .count();
    }

    /** The scale of a file's products, if it has some. */
    OptionalDouble scale(String file) {
        return products.values().stream()
                .flatMap(List::stream)
                .filter(one -> one.file().equals(file))
                .mapToDouble(Product::scale)
                .findFirst();
    }

    /** How many rows follow in all. */
    long counted(Map<String, Safetensors> beside) {
        return rows.values().stream()
                .flatMap(List::stream)
                .mapToLong(more -> more.count(beside))
                .sum();
    }

    /** The text of the file. */
    String text() {
        ObjectNode json = JSON.createObjectNode();
        ObjectNode added = json.putObject(PRODUCTS);
        products.forEach((key, all) -> {
            ArrayNode array = added.putArray(key);
            all.forEach(one -> array.addObject()
                    .put("file", one.file())
                    .put("down", one.down())
                    .put("up", one.up())
                    .put("scale", one.scale())
                    .put("ratio", one.ratio())
                    .put("from", one.from()));
        });
        ObjectNode following = json.putObject(ROWS);
        rows.forEach((key, all) -> {
            ArrayNode array = following.putArray(key);
            all.forEach(one -> array.addObject().put("file", one.file()).put("tensor", one.tensor()));
        });
        return json.toPrettyString();
    }

    /** The names of the files beside that are read, in order. */
    List<String> files() {
        return List.copyOf(new TreeSet<>(Stream.concat(
                        products.values().stream().flatMap(List::stream).map(Product::file),
                        rows.values().stream().flatMap(List::stream).map(Rows::file))
                .toList()));
    }

    boolean touches(Safetensors.Tensor tensor) {
        return products.containsKey(tensor.name()) || rows.containsKey(tensor.name());
    }

    /** The tensor as it is read: of float32, and perhaps of more rows. */
    Safetensors.Tensor merged(Safetensors.Tensor tensor, Map<String, Safetensors> beside) {
        List<Long> shape = new ArrayList<>(tensor.shape());
        for (Rows more : rows.getOrDefault(tensor.name(), List.of())) {
            shape.set(0, shape.get(0) + more.count(beside));
        }
        long size = shape.stream().reduce((long) Float.BYTES, Math::multiplyExact);
        return new Safetensors.Tensor(tensor.name(), ElementType.F32, shape, 0, size);
    }

    /**
     * Fills the buffer's remaining bytes with those of the merged tensor.
     *
     * @param offset the first of its bytes, that of a whole number
     * @param beside the files by name
     */
    void read(
            Safetensors file,
            Safetensors.Tensor tensor,
            Map<String, Safetensors> beside,
            long offset,
            ByteBuffer into) {
        long first = offset / Float.BYTES;
        int count = into.remaining() / Float.BYTES;
        float[] values = new float[count];
        int own = (int) Math.max(0, Math.min(count, tensor.size() - first));
        if (own > 0) {
            int width = tensor.type().bytes();
            ByteBuffer bytes = LittleEndian.buffer(own * width);
            file.read(tensor, first * width, bytes);
            tensor.type().decode(bytes.flip(), values, own);
            multiply(tensor, beside, first, own, values);
        }
        long begin = tensor.size();
        for (Rows more : rows.getOrDefault(tensor.name(), List.of())) {
            float[] tail = beside.get(more.file()).floats(more.tensor());
            for (int i = (int) Math.max(0, first - begin); i < tail.length && begin + i < first + count; i++) {
                values[(int) (begin + i - first)] = tail[i];
            }
            begin += tail.length;
        }
        ElementType.F32.encode(values, count, into);
    }

    /** Adds the products to a part of a tensor's values, from the first on. */
    private void multiply(
            Safetensors.Tensor tensor, Map<String, Safetensors> beside, long first, int count, float[] values) {
        List<Product> added = products.getOrDefault(tensor.name(), List.of());
        if (added.isEmpty()) {
            return;
        }
        int width = Math.toIntExact(tensor.size() / tensor.shape().get(0));
        double[] sums = new double[count];
        for (int i = 0; i < count; i++) {
            sums[i] = values[i];
        }
        for (Product product : added) {
            Safetensors factors = beside.get(product.file());
            float[] down = factors.floats(product.down());
            float[] up = factors.floats(product.up());
            int rank = down.length / width;
            int rows = up.length / rank;
            for (long row = first / width; row <= (first + count - 1) / width; row++) {
                int begun = (int) ((row + product.from()) % rows) * rank;
                int begin = (int) Math.max(0, first - row * width);
                int end = (int) Math.min(width, first + count - row * width);
                int at = (int) (row * width - first);
                for (int k = 0; k < rank; k++) {
                    double weight = product.scale() * product.ratio() * up[begun + k];
                    for (int i = begin; i < end; i++) {
                        sums[at + i] += weight * down[k * width + i];
                    }
                }
            }
        }
        for (int i = 0; i < count; i++) {
            values[i] = (float) sums[i];
        }
    }
}
