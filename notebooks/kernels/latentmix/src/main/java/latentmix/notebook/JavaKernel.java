package latentmix.notebook;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jshell.DeclarationSnippet;
import jdk.jshell.EvalException;
import jdk.jshell.ExpressionSnippet;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.Snippet.SubKind;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis.Suggestion;
import jdk.jshell.VarSnippet;
import org.apache.spark.sql.Dataset;
import org.dflib.jjava.jupyter.channels.JupyterConnection;
import org.dflib.jjava.jupyter.kernel.BaseKernel;
import org.dflib.jjava.jupyter.kernel.JupyterIO;
import org.dflib.jjava.jupyter.kernel.KernelConnectionProperties;
import org.dflib.jjava.jupyter.kernel.LanguageInfo;
import org.dflib.jjava.jupyter.kernel.ReplacementOptions;
import org.dflib.jjava.jupyter.kernel.comm.CommManager;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.Renderer;
import org.dflib.jjava.jupyter.kernel.display.common.Image;
import org.dflib.jjava.jupyter.kernel.util.StringStyler;

/**
 * A Jupyter kernel for Java: cells are snippets of one JShell session in this JVM. The kernel shows a cell's last
 * expression, a Spark dataset as a table and an image as PNG.
 *
 * @see <a href="https://jupyter-client.readthedocs.io/en/stable/messaging.html">Jupyter's messages</a>
 */
public final class JavaKernel extends BaseKernel {
    private static final int TRACE = 12; // lines
    private static final AtomicReference<Object> VALUE = new AtomicReference<>();

    private final JShell shell = JShell.builder()
            .executionEngine("local")
            .compilerOptions("--class-path", System.getProperty("java.class.path"))
            .build();

    private JavaKernel(Renderer renderer) {
        super(
                "latentmix",
                System.getProperty("java.version"),
                new LanguageInfo.Builder("java")
                        .version(System.getProperty("java.version"))
                        .mimetype("text/x-java-source")
                        .fileExtension(".java")
                        .pygments("java")
                        .codemirror("text/x-java")
                        .build(),
                List.of(),
                null,
                new JupyterIO(UTF_8),
                new CommManager(),
                renderer,
                null,
                null,
                false,
                new StringStyler("", "", "", line -> ""));
    }

    /** Serves the notebook whose connection file is named, until it shuts the kernel down. */
    public static void main(String... arguments) throws Exception {
        var connection =
                new JupyterConnection(KernelConnectionProperties.parse(Files.readString(Path.of(arguments[0]))));
        var renderer = new Renderer();
        Image.registerAll(renderer);
        renderer.createRegistration(Dataset.class)
                .preferring("text/html")
                .register((rows, context) -> context.getOutputContainer().putHTML(HtmlTable.of(rows)));
        var kernel = new JavaKernel(renderer);
        kernel.becomeHandlerForConnection(connection);
        connection.connect();
        kernel.onStartup();
        connection.waitUntilClose();
        System.exit(0); // Spark's threads would go on
    }

    /** Takes a value out of the session, which calls this method. */
    public static void take(Object value) {
        VALUE.set(value);
    }

    @Override
    public Object evalRaw(String cell) {
        Object value = null;
        String rest = cell;
        while (!rest.isBlank()) {
            var snippet = shell.sourceCodeAnalysis().analyzeCompletion(rest);
            boolean whole = snippet.source() == null || snippet.source().isEmpty();
            for (SnippetEvent event : shell.eval(whole ? rest : snippet.source())) {
                value = value(event);
            }
            rest = whole ? "" : snippet.remaining();
        }
        return value;
    }

    /** The value that a piece of a cell shows: that of an expression, null for all else. */
    private Object value(SnippetEvent event) {
        Snippet snippet = event.snippet();
        if (event.status() == Snippet.Status.REJECTED || event.status() == Snippet.Status.RECOVERABLE_NOT_DEFINED) {
            throw new CellError(Stream.concat(
                            shell.diagnostics(snippet).map(diagnostic -> diagnostic.getMessage(null)),
                            snippet instanceof DeclarationSnippet declaration
                                    ? shell.unresolvedDependencies(declaration).map(name -> "cannot find " + name)
                                    : Stream.empty())
                    .collect(Collectors.joining("\n", "", "\n" + snippet.source())));
        }
        if (event.exception() != null) {
            throw new CellError(trace(event.exception()));
        }
        if (snippet.subKind() == SubKind.VAR_VALUE_SUBKIND) {
            return taken(((ExpressionSnippet) snippet).name());
        }
        if (snippet.subKind() == SubKind.TEMP_VAR_EXPRESSION_SUBKIND) {
            return taken(((VarSnippet) snippet).name());
        }
        return null;
    }

    /** The value of a variable of the session: JShell itself gives only its text. */
    private Object taken(String variable) {
        shell.eval(JavaKernel.class.getName() + ".take(" + variable + ");");
        return VALUE.getAndSet(null);
    }

    /** An exception of the session with its causes, each with the lines where it came from. */
    private static String trace(Throwable error) {
        String name = error instanceof EvalException thrown
                ? thrown.getExceptionClassName()
                : error.getClass().getName();
        return name + ": " + error.getMessage()
                + Stream.of(error.getStackTrace())
                        .limit(TRACE)
                        .map(line -> "\n    at " + line)
                        .collect(Collectors.joining())
                + (error.getCause() == null ? "" : "\ncaused by " + trace(error.getCause()));
    }

    @Override
    public List<String> formatError(Throwable error) {
        return List.of(error instanceof CellError ? error.getMessage() : trace(error));
    }

    @Override
    public void interrupt() {
        shell.stop();
    }

    @Override
    public ReplacementOptions complete(String code, int at) {
        var from = new int[1];
        var suggestions = shell.sourceCodeAnalysis().completionSuggestions(code, at, from).stream()
                .map(Suggestion::continuation)
                .distinct()
                .toList();
        return new ReplacementOptions(suggestions, from[0], at);
    }

    @Override
    public String isComplete(String code) {
        return shell.sourceCodeAnalysis().analyzeCompletion(code).completeness().isComplete()
                ? IS_COMPLETE_YES
                : IS_COMPLETE_MAYBE;
    }

    @Override
    public DisplayData inspect(String code, int at, boolean detailed) {
        return DisplayData.EMPTY;
    }

    /** A cell that did not compile or that threw. */
    private static final class CellError extends RuntimeException {
        CellError(String message) {
            super(message, null, false, false);
        }
    }
}
