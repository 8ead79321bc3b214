package latentmix.sql;

import java.util.ArrayList;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.Literal$;
import org.apache.spark.sql.classic.UserDefinedFunctionUtils;
import org.apache.spark.sql.execution.aggregate.ScalaAggregator$;
import org.apache.spark.sql.expressions.SparkUserDefinedFunction;
import org.apache.spark.sql.expressions.UserDefinedAggregator;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.types.StructType;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/**
 * One SQL function with arguments that may be left out at the end: Spark's own user-defined functions have a fixed
 * number. Turns a call into an expression when a query is analysed; arguments are cast to their types, those left out
 * are NULL.
 */
final class LatentFunction extends AbstractFunction1<Seq<Expression>, Expression> {
    private static final int METHOD = 2;
    private static final int CLASS_MEAN = 3;
    private static final int POOL_SIZE = 4;

    private final String name;
    private final String usage;
    private final StructType arguments;
    private final int required;
    private final UserDefinedFunction function;

    LatentFunction(String name, String usage, StructType arguments, int required, UserDefinedFunction function) {
        this.name = name;
        this.usage = usage;
        this.arguments = arguments;
        this.required = required;
        this.function = function;
    }

    FunctionIdentifier identifier() {
        return new FunctionIdentifier(name);
    }

    ExpressionInfo info() {
        return new ExpressionInfo(
                LatentFunctions.class.getName(), null, name, usage, "", "", "", "", "", "", "java_udf");
    }

    @Override
    public Expression apply(Seq<Expression> given) {
        if (given.size() < required || given.size() > arguments.size()) {
            throw new IllegalArgumentException(name + " must have " + required
                    + (required == arguments.size() ? "" : " to " + arguments.size())
                    + " arguments, cannot have: " + given.size() + "\n" + usage);
        }
        if (arguments.size() > METHOD && given.apply(METHOD) instanceof Literal method) {
            var parsed = LatentCentroid.method(
                    method.value() == null ? null : method.value().toString(),
                    known(given, CLASS_MEAN),
                    known(given, POOL_SIZE));
            if (function instanceof UserDefinedAggregator<?, ?, ?>) {
                LatentCentroid.summed(parsed);
            }
        }
        var children = new ArrayList<Expression>();
        for (int i = 0; i < arguments.size(); i++) {
            var type = arguments.apply(i).dataType();
            children.add(
                    i < given.size()
                            ? Cast$.MODULE$.apply(given.apply(i), type, true)
                            : Literal$.MODULE$.create(null, type));
        }
        var sequence = CollectionConverters.asScala(children).toSeq();
        return function instanceof UserDefinedAggregator<?, ?, ?> aggregate
                ? ScalaAggregator$.MODULE$.apply(aggregate.withName(name), sequence)
                : UserDefinedFunctionUtils.toScalaUDF((SparkUserDefinedFunction) function.withName(name), sequence);
    }

    /** The argument, or null where it is left out or NULL. */
    private static Expression known(Seq<Expression> given, int i) {
        var argument = i < given.size() ? given.apply(i) : null;
        return argument instanceof Literal literal && literal.value() == null ? null : argument;
    }
}
