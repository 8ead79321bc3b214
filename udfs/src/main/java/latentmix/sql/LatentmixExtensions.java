package latentmix.sql;

import org.apache.spark.sql.SparkSessionExtensions;
import scala.Tuple3;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/** Adds the SQL functions to every session: {@code spark.sql.extensions=latentmix.sql.LatentmixExtensions}. */
public final class LatentmixExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {
    @Override
    public BoxedUnit apply(SparkSessionExtensions extensions) {
        LatentFunctions.ALL.forEach(
                function -> extensions.injectFunction(new Tuple3<>(function.identifier(), function.info(), function)));
        return BoxedUnit.UNIT;
    }
}
