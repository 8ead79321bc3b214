package latentmix;

import java.util.List;

/** What the research module brings with it and the job's jar must not carry. */
public final class ResearchParts {
    /** A class file of each library and of each package. */
    public static final List<String> CLASSES = List.of(
            "org/jfree/chart/JFreeChart.class",
            "org/apache/batik/svggen/SVGGraphics2D.class",
            "latentmix/study/Study.class",
            "latentmix/training/TrainingLoop.class",
            "latentmix/bench/Stopwatch.class",
            "latentmix/morph/Morph.class",
            "latentmix/dataset/IdxFile.class",
            "latentmix/research/Main.class");

    private ResearchParts() {}
}
