package latentmix.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.BindException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import latentmix.config.ConfigException;
import latentmix.plan.ExitCode;
import latentmix.table.RunFolder;
import latentmix.view.ViewServer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code latentmix view}: a run folder in a browser. */
@Command(
        name = "view",
        description = {
            "Serves pages that show a run folder: counts, every image, what it was made of.",
            "Prints their address, and serves until it is stopped. Starts no Spark, and writes nothing without --edit."
        },
        mixinStandardHelpOptions = true)
final class ViewCommand implements Callable<Integer> {
    private static final int MOST_PORT = 65_535;

    @Parameters(paramLabel = "RUN", description = "the run folder, local or s3a://; a run may be going on there")
    private String run;

    @Option(
            names = "--port",
            defaultValue = "0",
            paramLabel = "N",
            description = "of the address (default: one that is free)")
    private int port;

    @Option(
            names = "--host",
            defaultValue = "127.0.0.1",
            paramLabel = "ADDRESS",
            description = "of this machine, on which to listen (default: ${DEFAULT-VALUE}, which no other machine"
                    + " reaches)")
    private String host;

    @Option(
            names = "--edit",
            description = "lets whoever has the address keep and drop images by hand: the table curated, which export"
                    + " respects")
    private boolean edit;

    @Option(names = "--edit-from-other-machines", description = "allows --edit with a --host that other machines reach")
    private boolean editFromOthers;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        check();
        RunFolder folder = new RunFolder(run, SparkJob.hadoop());
        try (ViewServer server = ViewServer.start(
                folder, new ViewServer.Terms(host, port, edit ? ViewServer.Mode.EDIT : ViewServer.Mode.LOOK))) {
            PrintWriter out = spec.commandLine().getOut();
            out.println("Open " + server.address());
            out.println("Whoever has this address can look at the run"
                    + (edit ? " and decide which images it keeps" : "") + "; Ctrl-C ends it.");
            new CountDownLatch(1).await(); // a signal ends the process
        } catch (BindException e) {
            throw new ConfigException(List.of("--port, --host: expected an address that is free, got " + host + ":"
                    + port + " (" + e.getMessage() + "); name another port"));
        }
        return ExitCode.DONE.code();
    }

    private void check() {
        List<String> problems = new ArrayList<>();
        if (port < 0 || port > MOST_PORT) {
            problems.add("--port: expected 0 to " + MOST_PORT + ", got " + port);
        }
        try {
            if (edit && !editFromOthers && !InetAddress.getByName(host).isLoopbackAddress()) {
                problems.add("--edit: expected a host that no other machine reaches, got " + host
                        + "; leave --host out, or add --edit-from-other-machines");
            }
        } catch (UnknownHostException e) {
            problems.add("--host: expected an address of this machine, got " + host + "; write 127.0.0.1");
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }
}
