package latentmix.plan;

import java.io.Serializable;

/**
 * A class of the dataset.
 *
 * @param classId the folder's name
 * @param label the index in the class list, from 0
 * @param className what a person calls it
 * @param prompt the prompt its images are inverted and generated with
 */
public record ClassLabel(String classId, int label, String className, String prompt) implements Serializable {}
