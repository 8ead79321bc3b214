package latentmix.table;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A list that only some files of a table have as a column: those whose first row gives it. It is empty in the rows of
 * the others, so that tables of runs that need no such column are as they were before there was one. These components
 * come last in their record.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface OnlyWhereGiven {}
