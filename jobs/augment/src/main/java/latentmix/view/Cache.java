package latentmix.view;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** Values that were asked for last, as many as have room. */
final class Cache<K, V> {
    private final Map<K, V> values = new LinkedHashMap<>(16, 0.75f, true); // the one asked for last comes last
    private final long room;
    private final ToLongFunction<V> size;
    private long held;

    /**
     * A cache.
     *
     * @param room what the sizes of all values but the last may come to
     */
    Cache(long room, ToLongFunction<V> size) {
        this.room = room;
        this.size = size;
    }

    synchronized Optional<V> find(K key) {
        return Optional.ofNullable(values.get(key));
    }

    synchronized void put(K key, V value) {
        V before = values.put(key, value);
        held += size.applyAsLong(value) - (before == null ? 0 : size.applyAsLong(before));
        Iterator<V> oldest = values.values().iterator();
        while (held > room && values.size() > 1) {
            held -= size.applyAsLong(oldest.next());
            oldest.remove();
        }
    }
}
