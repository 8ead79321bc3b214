package latentmix.table;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;

/**
 * A Java record as a Parquet row: the record is the schema, one column a component, named in snake_case.
 *
 * <p>Components are {@code String}, {@code int}, {@code long}, {@code double}, {@code byte[]}, a nested record or a
 * {@code List} of strings or doubles. Columns are declared nullable, as Spark and Hugging Face
 * datasets declare theirs, but nothing is ever null. A record with fewer components reads only those
 * columns, so a projection is a smaller record.
 */
final class RecordFormat<T extends Record> {
    private final Constructor<T> constructor;
    private final RecordComponent[] components;
    private final MessageType schema;

    RecordFormat(Class<T> type) {
        this.components = type.getRecordComponents();
        this.constructor = canonical(type);
        this.schema = new MessageType("row", fields(type));
    }

    MessageType schema() {
        return schema;
    }

    /** Paths of the columns that hold raw bytes, where a dictionary only costs. */
    List<String> binaryColumns() {
        return schema.getColumns().stream()
                .filter(column -> column.getPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY
                        && column.getPrimitiveType().getLogicalTypeAnnotation() == null)
                .map(column -> String.join(".", column.getPath()))
                .toList();
    }

    void write(T row, RecordConsumer out) {
        out.startMessage();
        writeFields(row, components, out);
        out.endMessage();
    }

    T read(Group group) {
        return read(group, constructor, components);
    }

    private static <R> Constructor<R> canonical(Class<R> type) {
        try {
            Constructor<R> constructor = type.getDeclaredConstructor(Arrays.stream(type.getRecordComponents())
                    .map(RecordComponent::getType)
                    .toArray(Class<?>[]::new));
            constructor.setAccessible(true);
            return constructor;
        } catch (NoSuchMethodException e) {
            throw new IllegalArgumentException("A row type must be a record, cannot be: " + type, e);
        }
    }

    private static List<org.apache.parquet.schema.Type> fields(Class<?> type) {
        List<org.apache.parquet.schema.Type> fields = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            fields.add(field(column(component), component.getType(), component.getGenericType()));
        }
        return fields;
    }

    private static org.apache.parquet.schema.Type field(String name, Class<?> type, Type generic) {
        if (type.isRecord()) {
            return Types.optionalGroup()
                    .addFields(fields(type).toArray(org.apache.parquet.schema.Type[]::new))
                    .named(name);
        }
        if (type == List.class) {
            Class<?> element = element(generic);
            return Types.optionalList()
                    .element(field("element", element, element))
                    .named(name);
        }
        if (type == String.class) {
            return Types.optional(PrimitiveTypeName.BINARY)
                    .as(LogicalTypeAnnotation.stringType())
                    .named(name);
        }
        return Types.optional(primitive(type)).named(name);
    }

    private static PrimitiveTypeName primitive(Class<?> type) {
        if (type == int.class) {
            return PrimitiveTypeName.INT32;
        } else if (type == long.class) {
            return PrimitiveTypeName.INT64;
        } else if (type == double.class || type == Double.class) {
            return PrimitiveTypeName.DOUBLE;
        } else if (type == byte[].class) {
            return PrimitiveTypeName.BINARY;
        }
        throw new IllegalArgumentException("A column must be a String, int, long, double, byte[], record or List of "
                + "strings or doubles, cannot be: " + type);
    }

    private static Class<?> element(Type generic) {
        return (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
    }

    private static String column(RecordComponent component) {
        return component.getName().replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
    }

    private static void writeFields(Record row, RecordComponent[] components, RecordConsumer out) {
        for (int i = 0; i < components.length; i++) {
            String name = column(components[i]);
            out.startField(name, i);
            writeValue(value(row, components[i]), out);
            out.endField(name, i);
        }
    }

    private static void writeValue(Object value, RecordConsumer out) {
        if (value instanceof Record nested) {
            out.startGroup();
            writeFields(nested, nested.getClass().getRecordComponents(), out);
            out.endGroup();
        } else if (value instanceof List<?> list) {
            out.startGroup();
            if (!list.isEmpty()) {
                out.startField("list", 0);
                for (Object element : list) {
                    out.startGroup();
                    out.startField("element", 0);
                    writeValue(element, out);
                    out.endField("element", 0);
                    out.endGroup();
                }
                out.endField("list", 0);
            }
            out.endGroup();
        } else if (value instanceof String string) {
            out.addBinary(Binary.fromString(string));
        } else if (value instanceof byte[] bytes) {
            out.addBinary(Binary.fromConstantByteArray(bytes));
        } else if (value instanceof Integer number) {
            out.addInteger(number);
        } else if (value instanceof Long number) {
            out.addLong(number);
        } else if (value instanceof Double number) {
            out.addDouble(number);
        } else {
            throw new IllegalArgumentException("A row's values must not be null");
        }
    }

    private static Object value(Record row, RecordComponent component) {
        try {
            component.getAccessor().setAccessible(true);
            return component.getAccessor().invoke(row);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException("A record's accessor cannot be called: " + component, e);
        }
    }

    private static <R> R read(Group group, Constructor<R> constructor, RecordComponent[] components) {
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            values[i] =
                    readValue(group, column(components[i]), components[i].getType(), components[i].getGenericType());
        }
        try {
            return constructor.newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(
                    "A row does not make a " + constructor.getDeclaringClass().getSimpleName() + ": " + e.getCause(),
                    e);
        }
    }

    private static Object readValue(Group group, String name, Class<?> type, Type generic) {
        if (type.isRecord()) {
            return read(group.getGroup(name, 0), canonical(type), type.getRecordComponents());
        } else if (type == List.class) {
            Group list = group.getGroup(name, 0);
            Class<?> element = element(generic);
            List<Object> values = new ArrayList<>();
            for (int i = 0; i < list.getFieldRepetitionCount("list"); i++) {
                values.add(readValue(list.getGroup("list", i), "element", element, element));
            }
            return List.copyOf(values);
        } else if (type == String.class) {
            return group.getString(name, 0);
        } else if (type == byte[].class) {
            return group.getBinary(name, 0).getBytes();
        } else if (type == int.class) {
            return group.getInteger(name, 0);
        } else if (type == long.class) {
            return group.getLong(name, 0);
        }
        return group.getDouble(name, 0);
    }
}
