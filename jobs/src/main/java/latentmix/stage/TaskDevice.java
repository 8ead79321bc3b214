package latentmix.stage;

import ai.djl.Device;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** The device of a task: the GPU that Spark assigned to it, never a guessed one, else the CPU. */
public final class TaskDevice {
    private TaskDevice() {}

    /** The device of the task that runs on this thread. */
    public static Device current() {
        return of(TaskContext.get().resourcesJMap());
    }

    /** The device among a task's resources. */
    static Device of(Map<String, ResourceInformation> resources) {
        ResourceInformation gpu = resources.get("gpu");
        return gpu == null ? Device.cpu() : Device.gpu(Integer.parseInt(gpu.addresses()[0]));
    }
}
