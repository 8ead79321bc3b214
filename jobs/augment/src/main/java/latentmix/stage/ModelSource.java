package latentmix.stage;

import java.io.Serializable;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.model.Dtype;
import latentmix.work.ModelOnDevice;
import org.apache.hadoop.conf.Configuration;

/** The checkpoint as tasks open it: as it is asked for, on the device Spark gave them. */
record ModelSource(CheckpointSpec checkpoint, Dtype dtype, int threads) implements Serializable {
    private static final Map<CheckpointSpec, CheckpointFolder> OPEN = new ConcurrentHashMap<>(); // once per JVM

    CheckpointFolder open(Configuration conf) {
        return OPEN.computeIfAbsent(checkpoint, spec -> spec.open(conf));
    }

    ModelOnDevice onDevice(Configuration conf) {
        return new ModelOnDevice(open(conf), TaskDevice.current(), dtype);
    }
}
