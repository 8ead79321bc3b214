package latentmix.report;

import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.output.StringOutput;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * The HTML pages of one package, made by its compiled templates (<a href="https://jte.gg">jte</a>). A template escapes
 * every value, as its place in the markup demands.
 */
public final class Pages {
    private final TemplateEngine templates;

    /**
     * The templates that were compiled into a package.
     *
     * @param type any class of the package
     */
    public Pages(Class<?> type) {
        this.templates =
                TemplateEngine.createPrecompiled(null, ContentType.Html, type.getClassLoader(), type.getPackageName());
    }

    /**
     * The page of a template.
     *
     * @param template a template's file name
     * @param page the template's one parameter
     */
    public String html(String template, Object page) {
        StringOutput html = new StringOutput();
        templates.render(template, page, html);
        return html.toString();
    }

    /** The style sheet of every page. */
    public static String style() {
        try (InputStream css = Pages.class.getResourceAsStream("report.css")) {
            return new String(css.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("The jar must hold the report's style sheet", e);
        }
    }
}
