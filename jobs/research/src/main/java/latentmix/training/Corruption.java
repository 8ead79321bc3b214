package latentmix.training;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import latentmix.image.Pixels;
import latentmix.latent.RecipeSampler;
import latentmix.table.ContentId;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * What spoils an image that a classifier is tested on, by severities from 1 to 5. Noise depends on the image's pixels
 * alone. The kinds, and the numbers of their severities for small images, are those of the paper's CIFAR-10-C.
 *
 * @see <a href="https://arxiv.org/abs/1903.12261">Hendrycks and Dietterich, Benchmarking Neural Network Robustness to
 *     Common Corruptions and Perturbations</a>
 */
public enum Corruption {
    /** Normal noise in every channel. The numbers are its standard deviation as a share of the range. */
    GAUSSIAN_NOISE(0.04, 0.06, 0.08, 0.09, 0.10) {
        @Override
        Pixels by(double deviation, Pixels image) {
            ZigguratSampler.NormalizedGaussian normal =
                    ZigguratSampler.NormalizedGaussian.of(RecipeSampler.rng(ContentId.of("noise", image.rgb())));
            float[] values = image.toChw();
            for (int i = 0; i < values.length; i++) {
                values[i] += (float) (2 * deviation * normal.sample());
            }
            return pixels(values, image);
        }
    },
    /** A Gaussian blur. The numbers are its standard deviation in pixels of a side of 32; larger images have more. */
    GAUSSIAN_BLUR(0.4, 0.6, 0.7, 0.8, 1) {
        @Override
        Pixels by(double sigma, Pixels image) {
            double[] kernel = kernel(sigma * image.width() / 32);
            float[] across = blurred(image.toChw(), image.width(), kernel, 1);
            return pixels(blurred(across, image.width(), kernel, image.width()), image);
        }
    },
    /** Less contrast about the mean of each channel. The numbers are what is left of it. */
    CONTRAST(0.75, 0.5, 0.4, 0.3, 0.15) {
        @Override
        Pixels by(double left, Pixels image) {
            float[] values = image.toChw();
            int plane = values.length / 3;
            for (int from = 0; from < values.length; from += plane) {
                double mean = 0;
                for (int i = from; i < from + plane; i++) {
                    mean += values[i] / (double) plane;
                }
                for (int i = from; i < from + plane; i++) {
                    values[i] = (float) (mean + left * (values[i] - mean));
                }
            }
            return pixels(values, image);
        }
    },
    /** Made smaller and large again, each time by the nearest pixels. The numbers are the smaller side as a share. */
    PIXELATE(0.95, 0.9, 0.85, 0.75, 0.65) {
        @Override
        Pixels by(double share, Pixels image) {
            int side = Math.max(1, (int) (share * image.width()));
            return Pixels.ofImage(scaled(scaled(image.toImage(), side), image.width()));
        }
    },
    /** Saved as JPEG. The numbers are the quality. */
    JPEG_COMPRESSION(0.80, 0.65, 0.58, 0.50, 0.40) {
        @Override
        Pixels by(double quality, Pixels image) {
            try {
                return Pixels.ofImage(ImageIO.read(new ByteArrayInputStream(jpeg(image.toImage(), (float) quality))));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    private final double first;
    private final double second;
    private final double third;
    private final double fourth;
    private final double fifth;

    Corruption(double first, double second, double third, double fourth, double fifth) {
        this.first = first;
        this.second = second;
        this.third = third;
        this.fourth = fourth;
        this.fifth = fifth;
    }

    /**
     * The spoilt image.
     *
     * @param image a square one
     * @param severity from 1 to 5
     */
    Pixels apply(Pixels image, int severity) {
        double strength =
                switch (severity) {
                    case 1 -> first;
                    case 2 -> second;
                    case 3 -> third;
                    case 4 -> fourth;
                    case 5 -> fifth;
                    default -> throw new IllegalArgumentException("expected a severity from 1 to 5, got " + severity);
                };
        return by(strength, image);
    }

    abstract Pixels by(double strength, Pixels image);

    private static Pixels pixels(float[] values, Pixels like) {
        return Pixels.ofChw(values, 0, like.width(), like.height());
    }

    /** Weights at -r … r that sum to 1, r three standard deviations. */
    private static double[] kernel(double sigma) {
        int radius = (int) Math.ceil(3 * sigma);
        double[] kernel = new double[2 * radius + 1];
        double sum = 0;
        for (int i = -radius; i <= radius; i++) {
            kernel[i + radius] = Math.exp(-i * i / (2 * sigma * sigma));
            sum += kernel[i + radius];
        }
        for (int i = 0; i < kernel.length; i++) {
            kernel[i] /= sum;
        }
        return kernel;
    }

    /** Every plane's weighted means along x (step 1) or y (step {@code side}); its edges go on. */
    private static float[] blurred(float[] planes, int side, double[] kernel, int step) {
        int radius = kernel.length / 2;
        float[] means = new float[planes.length];
        for (int at = 0; at < planes.length; at++) {
            int place = at / step % side;
            double mean = 0;
            for (int i = -radius; i <= radius; i++) {
                int other = Math.max(0, Math.min(side - 1, place + i));
                mean += kernel[i + radius] * planes[at + (other - place) * step];
            }
            means[at] = (float) mean;
        }
        return means;
    }

    private static BufferedImage scaled(BufferedImage image, int side) {
        BufferedImage scaled = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = scaled.createGraphics();
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR);
        graphics.drawImage(image, 0, 0, side, side, null);
        graphics.dispose();
        return scaled;
    }

    private static byte[] jpeg(BufferedImage image, float quality) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
            ImageWriteParam how = writer.getDefaultWriteParam();
            how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            how.setCompressionQuality(quality);
            writer.setOutput(out);
            writer.write(null, new IIOImage(image, null, null), how);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }
}
