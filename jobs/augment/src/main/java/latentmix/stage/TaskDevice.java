package latentmix.stage;

import ai.djl.Device;
import java.util.Map;
import java.util.function.Function;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** The device of a task: the GPU that Spark assigned to it, never a guessed one, else the CPU. */
public final class TaskDevice {
    /** The device at an address that Spark knows; tests with made-up addresses put a CPU there. */
    static volatile Function<String, Device> devices = TaskDevice::gpu;

    private TaskDevice() {}

    /** The device of the task that runs on this thread. */
    public static Device current() {
        return of(TaskContext.get().resourcesJMap());
    }

    /** The device among a task's resources. */
    static Device of(Map<String, ResourceInformation> resources) {
        ResourceInformation gpu = resources.get("gpu");
        return gpu == null ? Device.cpu() : devices.apply(gpu.addresses()[0]);
    }

    private static Device gpu(String address) {
        if (!address.matches("\\d+")) {
            throw new IllegalStateException("Expected GPU addresses that are CUDA's numbers, 0 and up, got " + address
                    + "; correct the discovery script, as conf/discover-gpus does");
        }
        return Device.gpu(Integer.parseInt(address));
    }
}
