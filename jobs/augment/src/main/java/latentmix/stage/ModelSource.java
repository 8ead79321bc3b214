package latentmix.stage;

import java.io.Serializable;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import latentmix.checkpoint.CheckpointCache;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.model.Dtype;
import latentmix.work.ModelOnDevice;
import org.apache.hadoop.conf.Configuration;

/** The checkpoint as tasks open it: by its location, on the device Spark gave them. */
record ModelSource(String checkpoint, Dtype dtype, int threads) implements Serializable {
    private static final Map<String, CheckpointFolder> OPEN = new ConcurrentHashMap<>(); // once per JVM

    CheckpointFolder open(Configuration conf) {
        return OPEN.computeIfAbsent(
                checkpoint, location -> CheckpointFolder.open(CheckpointCache.located(location, conf)));
    }

    ModelOnDevice onDevice(Configuration conf) {
        return new ModelOnDevice(open(conf), TaskDevice.current(), dtype);
    }
}
