package latentmix.view;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import latentmix.view.Picture.Verdict;

/**
 * The pictures of one class, read chunk by chunk as long as someone waits for them. What a chunk holds never changes,
 * so none is read twice; a run that goes on adds chunks.
 */
final class ClassPictures {
    /** How long the list of chunks is taken to be the same. */
    private static final long LISTED_NANOS = 2_000_000_000L;

    private static final String REAL = "real"; // no chunk's id
    private static final String BY_HAND = "by hand";

    private final ClassTables tables;
    private final Map<String, Picture> pictures = new LinkedHashMap<>(); // by id
    private final Map<String, Verdict> verdicts = new HashMap<>(); // by mix id
    private final Set<String> read = new HashSet<>();
    private List<String> unread = new ArrayList<>();
    private int chunks;
    private long listed;
    private boolean isListed;
    private int version;

    private Query sortedFor;
    private int sortedVersion = -1;
    private List<Picture> sorted = List.of();

    ClassPictures(ClassTables tables) {
        this.tables = tables;
    }

    /**
     * What is asked of a class.
     *
     * @param sort a score's name, or {@code k}, {@code method} or {@code inputs}
     * @param kind {@code all}, {@code real} or {@code made}
     * @param method empty for all
     * @param inputs 0 for all
     * @param verdict {@code all}; {@code kept} or {@code dropped}; the judge that dropped a picture; {@code inside} or
     *     {@code outside} of the limits; {@code by hand}
     * @param limits the least and the most that scores may be
     */
    record Query(
            String sort,
            boolean descending,
            String kind,
            String method,
            int inputs,
            String verdict,
            Map<Score, Limit> limits) {
        Query {
            limits = Map.copyOf(limits);
        }
    }

    /** The least and the most that a score may be, as exact as scores are. */
    record Limit(float least, float most) {
        boolean holds(float score) {
            return Float.isNaN(score) || (score >= least && score <= most);
        }
    }

    /** The least and the most that a score is among the pictures. */
    record Range(String score, String meaning, double least, double most) {}

    /** A picture with what is said of it. */
    record Shown(Picture picture, Optional<Verdict> verdict, String byHand, boolean inside) {}

    /**
     * Some of the pictures.
     *
     * @param read chunks that were read, of so many
     * @param all pictures of the class
     * @param matching those that are asked for, in whose order {@code shown} begins at {@code from}
     * @param made those of them that were made, of which so many are inside of the limits
     * @param scores the names of a picture's scores
     */
    record Page(
            int read,
            int of,
            int all,
            int matching,
            int made,
            int inside,
            int from,
            List<Shown> shown,
            List<String> methods,
            List<Integer> inputs,
            List<String> judges,
            List<String> scores,
            List<Range> ranges) {}

    /** How many pictures are known so far. */
    synchronized int size() {
        return pictures.size();
    }

    /** Reads on until all is read, or no more time is left; at least one chunk. */
    synchronized void follow(long until) throws IOException {
        if (!isListed || (unread.isEmpty() && System.nanoTime() - listed > LISTED_NANOS)) {
            list();
        }
        while (!unread.isEmpty()) {
            String chunk = unread.remove(0);
            read(chunk);
            read.add(chunk);
            version++;
            if (System.nanoTime() - until > 0) {
                return;
            }
        }
    }

    /** Whether there may be pictures that are not read yet. */
    synchronized boolean isGrowing() {
        return !isListed || !unread.isEmpty();
    }

    private void list() throws IOException {
        List<String> found = new ArrayList<>(List.of(REAL));
        tables.judged().forEach(chunk -> found.add("judged " + chunk));
        found.addAll(tables.generated());
        chunks = found.size();
        unread = new ArrayList<>(
                found.stream().filter(chunk -> !read.contains(chunk)).toList());
        if (unread.isEmpty() && pictures.values().stream().noneMatch(Picture::isReal)) {
            unread.add(REAL); // a run that begins has no list of images yet
        }
        listed = System.nanoTime();
        isListed = true;
    }

    private void read(String chunk) throws IOException {
        if (chunk.equals(REAL)) {
            tables.real().forEach(picture -> pictures.put(picture.id(), picture));
        } else if (chunk.startsWith("judged ")) {
            tables.verdicts(chunk.substring("judged ".length())).forEach((id, row) -> {
                float[] scores = Score.none();
                Score.putVerdict(scores, row);
                verdicts.put(id, new Verdict(row.kept(), row.reasons(), scores));
            });
        } else {
            tables.made(chunk).forEach(picture -> pictures.put(picture.id(), picture));
        }
    }

    /**
     * The images made that are asked for.
     *
     * @param byHand what a person decided, {@code keep} or {@code drop} by mix id
     */
    synchronized List<Picture> made(Query query, Map<String, String> byHand) {
        return pictures.values().stream()
                .filter(picture -> !picture.isReal() && asked(picture, query, byHand))
                .toList();
    }

    /** A picture of this class; nothing where there is none of this id, or it is not read yet. */
    synchronized Optional<Picture> find(String id) {
        return Optional.ofNullable(pictures.get(id));
    }

    /** The picture before and after this one in the order that was last asked for; empty at an end. */
    synchronized List<Optional<Picture>> beside(String id) {
        for (int i = 0; i < sorted.size(); i++) {
            if (sorted.get(i).id().equals(id)) {
                return List.of(
                        i == 0 ? Optional.empty() : Optional.of(sorted.get(i - 1)),
                        i + 1 == sorted.size() ? Optional.empty() : Optional.of(sorted.get(i + 1)));
            }
        }
        return List.of(Optional.empty(), Optional.empty());
    }

    /**
     * A page.
     *
     * @param byHand what a person decided, {@code keep} or {@code drop} by mix id
     */
    synchronized Page page(Query query, int from, int count, Map<String, String> byHand) {
        if (sortedVersion != version
                || !query.equals(sortedFor)
                || query.verdict().equals(BY_HAND)) {
            sorted = pictures.values().stream()
                    .filter(picture -> asked(picture, query, byHand))
                    .sorted(order(query))
                    .toList();
            sortedFor = query;
            sortedVersion = version;
        }
        Set<String> methods = new TreeSet<>();
        Set<Integer> inputs = new TreeSet<>();
        Set<String> judges = new TreeSet<>();
        float[] least = Score.none();
        float[] most = Score.none();
        for (Picture picture : pictures.values()) {
            if (!picture.isReal()) {
                methods.add(picture.method());
                inputs.add(picture.inputs());
                widen(least, most, picture.scores());
                Verdict verdict = verdicts.get(picture.id());
                if (verdict != null) {
                    judges.addAll(verdict.reasons());
                    widen(least, most, verdict.scores());
                }
            }
        }
        List<Range> ranges = new ArrayList<>();
        for (Score score : Score.values()) {
            if (least[score.at()] < most[score.at()]) {
                ranges.add(new Range(score.text(), score.meaning(), least[score.at()], most[score.at()]));
            }
        }
        return new Page(
                read.size(),
                chunks,
                pictures.size(),
                sorted.size(),
                (int) sorted.stream().filter(picture -> !picture.isReal()).count(),
                (int) sorted.stream()
                        .filter(picture -> !picture.isReal() && inside(picture, query))
                        .count(),
                from,
                sorted.stream()
                        .skip(from)
                        .limit(count)
                        .map(picture -> new Shown(
                                picture,
                                Optional.ofNullable(verdicts.get(picture.id())),
                                byHand.getOrDefault(picture.id(), ""),
                                inside(picture, query)))
                        .toList(),
                List.copyOf(methods),
                List.copyOf(inputs),
                List.copyOf(judges),
                Score.texts(),
                ranges);
    }

    /** What a filter said of a picture. */
    synchronized Optional<Verdict> verdict(String id) {
        return Optional.ofNullable(verdicts.get(id));
    }

    private static void widen(float[] least, float[] most, float[] scores) {
        for (int i = 0; i < scores.length; i++) {
            if (!Float.isNaN(scores[i])) {
                least[i] = Float.isNaN(least[i]) ? scores[i] : Math.min(least[i], scores[i]);
                most[i] = Float.isNaN(most[i]) ? scores[i] : Math.max(most[i], scores[i]);
            }
        }
    }

    /** A score of the picture itself or, where a judge gave it, of the verdict. */
    private float score(Picture picture, Score score) {
        float own = picture.scores()[score.at()];
        Verdict verdict = verdicts.get(picture.id());
        return Float.isNaN(own) && verdict != null ? verdict.scores()[score.at()] : own;
    }

    private boolean inside(Picture picture, Query query) {
        return query.limits().entrySet().stream()
                .allMatch(limit -> limit.getValue().holds(score(picture, limit.getKey())));
    }

    private boolean asked(Picture picture, Query query, Map<String, String> byHand) {
        boolean kind =
                switch (query.kind()) {
                    case "real" -> picture.isReal();
                    case "made" -> !picture.isReal();
                    default -> true;
                };
        if (!kind
                || !(query.method().isEmpty() || query.method().equals(picture.method()))
                || !(query.inputs() == 0 || query.inputs() == picture.inputs())) {
            return false;
        }
        Verdict verdict = verdicts.get(picture.id());
        return switch (query.verdict()) {
            case "all" -> true;
            case "kept" -> verdict != null && verdict.kept();
            case "dropped" -> verdict != null && !verdict.kept();
            case "inside" -> inside(picture, query);
            case "outside" -> !inside(picture, query);
            case BY_HAND -> byHand.containsKey(picture.id());
            default -> verdict != null && verdict.reasons().contains(query.verdict());
        };
    }

    /**
     * Pictures without the score come last. Equal ones stand in the order of entry and k, real ones after made ones.
     */
    private Comparator<Picture> order(Query query) {
        Comparator<Picture> natural = Comparator.comparing(Picture::isReal)
                .thenComparing(Picture::entry)
                .thenComparingInt(Picture::k)
                .thenComparing(Picture::path)
                .thenComparing(Picture::id);
        Comparator<Picture> asked =
                switch (query.sort()) {
                    case "k" -> natural;
                    case "method" -> Comparator.comparing(Picture::method);
                    case "inputs" -> Comparator.comparingInt(Picture::inputs);
                    default -> null;
                };
        if (asked != null) {
            return (query.descending() ? asked.reversed() : asked).thenComparing(natural);
        }
        Score score = Requests.score(query.sort());
        Function<Picture, Float> by = picture -> score(picture, score);
        Comparator<Float> numbers = query.descending() ? Comparator.reverseOrder() : Comparator.naturalOrder();
        return Comparator.comparing((Picture picture) -> Float.isNaN(by.apply(picture)))
                .thenComparing(by, numbers)
                .thenComparing(natural);
    }
}
