package latentmix.export;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import latentmix.config.RunConfig;
import latentmix.config.RunConfig.DatasetFormat;

/**
 * A dataset's description in MLCommons' Croissant format 1.0, JSON-LD (<a
 * href="https://docs.mlcommons.org/croissant/docs/croissant-spec.html">the specification</a>). Files are named relative
 * to it.
 */
final class Croissant {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /** The context that the specification asks to be in each file as it is, §Namespaces. */
    private static final String CONTEXT =
            """
            {"@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
             "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/",
             "rai": "http://mlcommons.org/croissant/RAI/", "data": {"@id": "cr:data", "@type": "@json"},
             "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
             "equivalentProperty": "cr:equivalentProperty",
             "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
             "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet",
             "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset",
             "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField",
             "path": "cr:path", "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex",
             "repeated": "cr:repeated", "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
             "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField",
             "transform": "cr:transform"}
            """;

    private Croissant() {}

    static String json(RunConfig.Export export, String description, boolean hasSoftLabels) {
        try {
            ObjectNode root = JSON.createObjectNode();
            root.set("@context", JSON.readTree(CONTEXT));
            root.put("@type", "sc:Dataset");
            root.put("name", "latentmix-dataset");
            root.put("description", description);
            root.put("conformsTo", "http://mlcommons.org/croissant/1.0");
            root.put("license", export.license());
            root.put("version", "1.0.0");
            root.putArray("keywords")
                    .add("synthetic")
                    .add("image classification")
                    .add("latentmix");
            ArrayNode distribution = root.putArray("distribution");
            ArrayNode records = root.putArray("recordSet");
            for (DatasetFormat format : export.formats()) {
                ObjectNode files = distribution.addObject();
                files.put("@type", "cr:FileSet");
                files.put("@id", format.toString());
                files.put("name", format.toString());
                switch (format) {
                    case PARQUET -> {
                        files.put("encodingFormat", "application/x-parquet");
                        files.put("includes", "parquet/*.parquet");
                        columns(records.addObject(), hasSoftLabels);
                    }
                    case WEBDATASET -> {
                        files.put("encodingFormat", "application/x-tar");
                        files.put("includes", "webdataset/*.tar");
                    }
                    case IMAGES -> {
                        files.put("encodingFormat", "image/png");
                        files.put("includes", "images/*/*.png");
                        folders(records.addObject());
                    }
                }
            }
            return JSON.writeValueAsString(root) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("The context must be JSON", e);
        }
    }

    private static void columns(ObjectNode records, boolean hasSoftLabels) {
        ArrayNode fields = fields(records, "rows");
        ObjectNode image = field(fields, "rows/image", "sc:ImageObject", "parquet");
        image.putObject("extract").put("column", "image");
        image.putObject("transform").put("jsonPath", "bytes");
        ObjectNode file = field(fields, "rows/file", "sc:Text", "parquet");
        file.putObject("extract").put("column", "image");
        file.putObject("transform").put("jsonPath", "path");
        field(fields, "rows/label", "sc:Integer", "parquet")
                .putObject("extract")
                .put("column", "label");
        for (String column : new String[] {"class_name", "split", "mix_id", "method"}) {
            field(fields, "rows/" + column, "sc:Text", "parquet")
                    .putObject("extract")
                    .put("column", column);
        }
        if (hasSoftLabels) {
            list(fields, "labels", "sc:Integer");
            list(fields, "label_weights", "sc:Float");
        }
    }

    private static void list(ArrayNode fields, String column, String type) {
        field(fields, "rows/" + column, type, "parquet").putObject("extract").put("column", column);
        ((ObjectNode) fields.get(fields.size() - 1)).put("repeated", true);
    }

    private static void folders(ObjectNode records) {
        ArrayNode fields = fields(records, "files");
        field(fields, "files/image", "sc:ImageObject", "images")
                .putObject("extract")
                .put("fileProperty", "content");
        ObjectNode folder = field(fields, "files/folder", "sc:Text", "images");
        folder.putObject("extract").put("fileProperty", "fullpath");
        folder.putObject("transform").put("regex", "^images/(.+)/[^/]+$");
    }

    private static ArrayNode fields(ObjectNode records, String id) {
        records.put("@type", "cr:RecordSet");
        records.put("@id", id);
        records.put("name", id);
        return records.putArray("field");
    }

    /** Adds a field; returns its source. */
    private static ObjectNode field(ArrayNode fields, String id, String type, String files) {
        ObjectNode field = fields.addObject();
        field.put("@type", "cr:Field");
        field.put("@id", id);
        field.put("name", id);
        field.put("dataType", type);
        ObjectNode source = field.putObject("source");
        source.putObject("fileSet").put("@id", files);
        return source;
    }
}
