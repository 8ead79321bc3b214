package latentmix.export;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * The exported dataset's features in the form that Hugging Face datasets writes into a Parquet file's footer under the
 * key {@code huggingface}; with it the library opens the column image as images and label as a ClassLabel (<a
 * href="https://huggingface.co/docs/datasets/about_dataset_features">features</a>).
 */
public final class DatasetFeatures {
    private DatasetFeatures() {}

    /** The features of {@link latentmix.table.DatasetRow}'s columns, in their order, where labels are hard. */
    public static String json(List<String> classNames) {
        return json(features(classNames));
    }

    /** The same of a dataset that has soft labels. */
    public static String softJson(List<String> classNames) {
        ObjectNode features = features(classNames);
        features.set("labels", list(value("int64")));
        features.set("label_weights", list(value("float64")));
        return json(features);
    }

    private static String json(ObjectNode features) {
        ObjectNode metadata = JsonNodeFactory.instance.objectNode();
        metadata.putObject("info").set("features", features);
        return metadata.toString();
    }

    private static ObjectNode features(List<String> classNames) {
        ObjectNode features = JsonNodeFactory.instance.objectNode();
        features.set("image", feature("Image"));
        ObjectNode label = features.putObject("label");
        classNames.forEach(label.putArray("names")::add);
        label.put("_type", "ClassLabel");
        features.set("class_name", value("string"));
        features.set("split", value("string"));
        features.set("mix_id", value("string"));
        features.set("method", value("string"));
        features.set("source_ids", list(value("string")));
        features.set("weights", list(value("float64")));
        return features;
    }

    private static ObjectNode feature(String type) {
        return JsonNodeFactory.instance.objectNode().put("_type", type);
    }

    private static ObjectNode value(String dtype) {
        return JsonNodeFactory.instance.objectNode().put("dtype", dtype).put("_type", "Value");
    }

    /** A list, by the name that every version of the library reads. */
    private static ObjectNode list(ObjectNode element) {
        ObjectNode list = JsonNodeFactory.instance.objectNode();
        list.set("feature", element);
        return list.put("_type", "Sequence");
    }
}
