package latentmix.research;

import java.util.List;

/** The entry of the command line with research's verbs beside the job's. */
public final class Main {
    private Main() {}

    /** Runs a verb and ends the process with its exit code. */
    public static void main(String[] args) {
        latentmix.cli.Main.run(verbs(), args);
    }

    /** The verbs of research. */
    static List<?> verbs() {
        return List.of(
                new StudyCommand(), new MorphCommand(), new TrainCommand(), new DatasetCommand(), new BenchCommand());
    }
}
