package latentmix.torchscript;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import latentmix.codec.LittleEndian;

/**
 * Writes the few opcodes of <a href="https://github.com/python/cpython/blob/3.11/Lib/pickletools.py">pickle protocol
 * 2</a> that a TorchScript archive needs. Nothing here reads pickle.
 */
final class Pickle {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Pickle() {
        op(0x80).op(2);
    }

    private Pickle op(int opcode) {
        out.write(opcode);
        return this;
    }

    private Pickle bytes(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    /** A reference to a class or function. */
    Pickle global(String module, String name) {
        return op('c').bytes((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
    }

    Pickle string(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return op('X').bytes(LittleEndian.buffer(4).putInt(utf8.length).array()).bytes(utf8);
    }

    /** Writes an integer of any size, in 4 bytes where they suffice, else as LONG1 with 8. */
    Pickle integer(long value) {
        return value == (int) value
                ? op('J').bytes(LittleEndian.buffer(4).putInt((int) value).array())
                : op(0x8a).op(8).bytes(LittleEndian.buffer(8).putLong(value).array());
    }

    Pickle bool(boolean value) {
        return op(value ? 0x88 : 0x89);
    }

    Pickle mark() {
        return op('(');
    }

    /** Makes a tuple of the items since the last mark. */
    Pickle tuple() {
        return op('t');
    }

    Pickle emptyTuple() {
        return op(')');
    }

    Pickle emptyDict() {
        return op('}');
    }

    /** Puts the keys and values since the last mark into the dict below it. */
    Pickle setItems() {
        return op('u');
    }

    /** Makes a new object of the class below the argument tuple, not initialised. */
    Pickle newObject() {
        return op(0x81);
    }

    /** Calls the function below with the argument tuple on top. */
    Pickle reduce() {
        return op('R');
    }

    /** Sets the state on top on the object below it. */
    Pickle build() {
        return op('b');
    }

    /** Turns the tuple on top into a reference to something stored apart. */
    Pickle persistentId() {
        return op('Q');
    }

    byte[] stop() {
        return op('.').out.toByteArray();
    }
}
