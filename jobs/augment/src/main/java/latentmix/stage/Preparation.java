package latentmix.stage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import latentmix.architecture.Part;
import latentmix.checkpoint.CheckpointCache;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.ConfigException;
import latentmix.model.ClipTexts;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.table.ContentId;
import latentmix.table.RunFolder;
import latentmix.work.ImagesWork;
import org.apache.hadoop.conf.Configuration;

/**
 * What is done before the first task: a run compiles its networks and publishes its settings, a plan looks at them
 * alone.
 */
interface Preparation {
    /** The settings' id. */
    String settings(Object settings) throws IOException;

    /** How far it looks at images. */
    ImagesWork.Look look();

    /** Whether what was refused is tried again. */
    boolean retriesRejected();

    void compile(CheckpointFolder checkpoint, Dtype dtype);

    void compile(Path component, Part part, Dtype dtype);

    /** Compiles what a token of each class is learnt with. */
    void compileTokenLearners(CheckpointFolder checkpoint, Dtype dtype);

    /** Compiles the denoiser that takes an adapter with each call. */
    void compileAdaptable(CheckpointFolder checkpoint, Dtype dtype);

    /**
     * Compiles CLIP's text model, in a folder with both of its models.
     *
     * @throws ConfigException if the folder does not have them
     */
    void compileTexts(String clip, Configuration conf);

    /** A run in this folder. */
    record OfRun(RunFolder run, RunTerms terms) implements Preparation {
        @Override
        public String settings(Object settings) throws IOException {
            return run.settings(settings);
        }

        @Override
        public ImagesWork.Look look() {
            return ImagesWork.Look.SCAN;
        }

        @Override
        public boolean retriesRejected() {
            return terms.retryRejected();
        }

        @Override
        public void compile(CheckpointFolder checkpoint, Dtype dtype) {
            Models.compile(checkpoint, dtype);
        }

        @Override
        public void compile(Path component, Part part, Dtype dtype) {
            Models.compile(component, part, dtype);
        }

        @Override
        public void compileTokenLearners(CheckpointFolder checkpoint, Dtype dtype) {
            Models.compileTokenLearners(checkpoint, dtype);
        }

        @Override
        public void compileAdaptable(CheckpointFolder checkpoint, Dtype dtype) {
            Models.compileAdaptable(checkpoint, dtype);
        }

        @Override
        public void compileTexts(String clip, Configuration conf) {
            try {
                ClipTexts.compile(CheckpointCache.located(clip, conf));
            } catch (CheckpointException e) {
                throw new ConfigException(List.of("filter.text: " + e.getMessage()));
            }
        }
    }

    /** A plan, which writes nothing. */
    record OfPlan() implements Preparation {
        @Override
        public String settings(Object settings) {
            return ContentId.of(RunFolder.json(settings));
        }

        @Override
        public ImagesWork.Look look() {
            return ImagesWork.Look.FORESEE;
        }

        @Override
        public boolean retriesRejected() {
            return false;
        }

        @Override
        public void compile(CheckpointFolder checkpoint, Dtype dtype) {
            Models.check(checkpoint);
        }

        @Override
        public void compile(Path component, Part part, Dtype dtype) {}

        @Override
        public void compileTokenLearners(CheckpointFolder checkpoint, Dtype dtype) {}

        @Override
        public void compileAdaptable(CheckpointFolder checkpoint, Dtype dtype) {}

        @Override
        public void compileTexts(String clip, Configuration conf) {}
    }
}
