package latentmix.table;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;

/**
 * A Java record as a Parquet row: the record is the schema, one column a component, named in snake_case.
 *
 * <p>Components are {@code String}, {@code boolean}, {@code int}, {@code long}, {@code double}, {@code byte[]}, a
 * nested record or a {@code List} of strings, longs or doubles. Columns are declared nullable, as Spark and Hugging
 * Face datasets declare theirs, but nothing is ever null. A record with fewer components reads only those columns, so a
 * projection is a smaller record. Lists that are {@link OnlyWhereGiven} come last, and may have no column at all.
 */
final class RecordFormat<T extends Record> {
    private static final ClassValue<RecordFormat<?>> FORMATS = new ClassValue<>() {
        @Override
        protected RecordFormat<?> computeValue(Class<?> type) {
            return new RecordFormat<>(type.asSubclass(Record.class));
        }
    };

    /**
     * A component.
     *
     * @param index its place in the record
     * @param type what it holds; of a list, what its elements are
     * @param nested the format of a record, or null
     */
    private record Column(
            int index, Method accessor, boolean isList, Class<?> type, RecordFormat<?> nested, Type field) {
        static Column of(int index, RecordComponent component) {
            boolean isList = component.getType() == List.class;
            Class<?> type = isList
                    ? (Class<?>) ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0]
                    : component.getType();
            RecordFormat<?> nested = type.isRecord() ? FORMATS.get(type) : null;
            String name =
                    component.getName().replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
            Type field = isList
                    ? Types.optionalList()
                            .element(field("element", type, nested))
                            .named(name)
                    : field(name, type, nested);
            component.getAccessor().setAccessible(true);
            return new Column(index, component.getAccessor(), isList, type, nested, field);
        }

        private static Type field(String name, Class<?> type, RecordFormat<?> nested) {
            if (nested != null) {
                return Types.optionalGroup()
                        .addFields(nested.schema.getFields().toArray(Type[]::new))
                        .named(name);
            }
            if (type == String.class) {
                return Types.optional(PrimitiveTypeName.BINARY)
                        .as(LogicalTypeAnnotation.stringType())
                        .named(name);
            }
            return Types.optional(primitive(type)).named(name);
        }
    }

    private final Constructor<T> constructor;
    private final List<Column> columns; // in the order of the schema's fields
    private final List<Column> optional; // beside them: the last ones, which files need not have
    private final Map<List<Column>, RecordFormat<T>> others = new ConcurrentHashMap<>(); // with some of those
    private final MessageType schema;

    private RecordFormat(Class<T> type) {
        this(canonical(type), columns(type, false), columns(type, true));
    }

    private RecordFormat(Constructor<T> constructor, List<Column> columns, List<Column> optional) {
        this.constructor = constructor;
        this.columns = columns;
        this.optional = optional;
        this.schema = new MessageType("row", columns.stream().map(Column::field).toList());
    }

    private static List<Column> columns(Class<?> type, boolean isOptional) {
        RecordComponent[] components = type.getRecordComponents();
        return IntStream.range(0, components.length)
                .filter(i -> components[i].isAnnotationPresent(OnlyWhereGiven.class) == isOptional)
                .mapToObj(i -> Column.of(i, components[i]))
                .toList();
    }

    /** The format with those of the optional columns that are in a file. */
    private RecordFormat<T> with(Predicate<Column> isThere) {
        Map<Boolean, List<Column>> there = optional.stream().collect(Collectors.partitioningBy(isThere));
        return there.get(true).isEmpty()
                ? this
                : others.computeIfAbsent(
                        there.get(true),
                        more -> new RecordFormat<>(
                                constructor,
                                Stream.concat(columns.stream(), more.stream()).toList(),
                                there.get(false)));
    }

    /** The format of a file with this first row. */
    RecordFormat<T> startingWith(T row) {
        return with(column -> isGiven(row, column));
    }

    /** The format of a file that has these columns. */
    RecordFormat<T> in(GroupType found) {
        return with(column -> found.containsField(column.field().getName()));
    }

    private static boolean isGiven(Record row, Column column) {
        return !((List<?>) value(row, column)).isEmpty();
    }

    /** The format of a record type, made once. */
    @SuppressWarnings("unchecked") // the map's own type
    static <T extends Record> RecordFormat<T> of(Class<T> type) {
        return (RecordFormat<T>) FORMATS.get(type);
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
        if (optional.stream().anyMatch(column -> isGiven(row, column))) {
            throw new IllegalArgumentException(
                    "A file's first row must have the lists that a later one has: " + optional);
        }
        out.startMessage();
        writeFields(row, out);
        out.endMessage();
    }

    /** The row of a group that was read by this format's schema. */
    T read(Group group) {
        return in(group.getType()).readAll(group);
    }

    private T readAll(Group group) {
        Object[] values = new Object[constructor.getParameterCount()];
        Arrays.fill(values, List.of()); // where the file has no such column
        for (int i = 0; i < columns.size(); i++) {
            Column column = columns.get(i);
            values[column.index()] =
                    column.isList() ? readList(group.getGroup(i, 0), column) : readValue(group, i, column);
        }
        try {
            return constructor.newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(
                    "A row does not make a " + constructor.getDeclaringClass().getSimpleName() + ": " + e.getCause(),
                    e);
        }
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

    private static PrimitiveTypeName primitive(Class<?> type) {
        if (type == boolean.class) {
            return PrimitiveTypeName.BOOLEAN;
        } else if (type == int.class) {
            return PrimitiveTypeName.INT32;
        } else if (type == long.class || type == Long.class) {
            return PrimitiveTypeName.INT64;
        } else if (type == double.class || type == Double.class) {
            return PrimitiveTypeName.DOUBLE;
        } else if (type == byte[].class) {
            return PrimitiveTypeName.BINARY;
        }
        throw new IllegalArgumentException(
                "A column must be a String, boolean, int, long, double, byte[], record or List of "
                        + "strings, longs or doubles, cannot be: " + type);
    }

    private void writeFields(Record row, RecordConsumer out) {
        for (int i = 0; i < columns.size(); i++) {
            Column column = columns.get(i);
            String name = column.field().getName();
            out.startField(name, i);
            Object value = value(row, column);
            if (column.isList()) {
                writeList((List<?>) value, column, out);
            } else {
                writeValue(value, column, out);
            }
            out.endField(name, i);
        }
    }

    private static void writeList(List<?> list, Column column, RecordConsumer out) {
        out.startGroup();
        if (!list.isEmpty()) {
            out.startField("list", 0);
            for (Object element : list) {
                out.startGroup();
                out.startField("element", 0);
                writeValue(element, column, out);
                out.endField("element", 0);
                out.endGroup();
            }
            out.endField("list", 0);
        }
        out.endGroup();
    }

    private static void writeValue(Object value, Column column, RecordConsumer out) {
        if (value instanceof Record nested) {
            out.startGroup();
            column.nested().writeFields(nested, out);
            out.endGroup();
        } else if (value instanceof String string) {
            out.addBinary(Binary.fromString(string));
        } else if (value instanceof byte[] bytes) {
            out.addBinary(Binary.fromConstantByteArray(bytes));
        } else if (value instanceof Boolean flag) {
            out.addBoolean(flag);
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

    private static Object value(Record row, Column column) {
        try {
            return column.accessor().invoke(row);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException("A record's accessor cannot be called: " + column.accessor(), e);
        }
    }

    private static List<Object> readList(Group list, Column column) {
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < list.getFieldRepetitionCount(0); i++) {
            values.add(readValue(list.getGroup(0, i), 0, column));
        }
        return List.copyOf(values);
    }

    private static Object readValue(Group group, int field, Column column) {
        Class<?> type = column.type();
        if (column.nested() != null) {
            return column.nested().read(group.getGroup(field, 0));
        } else if (type == String.class) {
            return group.getString(field, 0);
        } else if (type == byte[].class) {
            return group.getBinary(field, 0).getBytes();
        } else if (type == boolean.class) {
            return group.getBoolean(field, 0);
        } else if (type == int.class) {
            return group.getInteger(field, 0);
        } else if (type == long.class || type == Long.class) {
            return group.getLong(field, 0);
        }
        return group.getDouble(field, 0);
    }
}
