import java.math.BigInteger;
import javax.smartcardio.*;

/** Prints each record of the social security application and the status: READER SFI [SFI ...]. */
public class ReadFiles {
    public static void main(String[] arguments) throws Exception {
        var terminal = TerminalFactory.getDefault().terminals().getTerminal(arguments[0]);
        Card card = terminal.connect("*");
        CardChannel channel = card.getBasicChannel();
        byte[] name = new BigInteger("7378312E73682EC9E7BBE1B1A3D5CF", 16).toByteArray();
        channel.transmit(new CommandAPDU(0, 0xA4, 4, 0, name, 256));
        for (int file = 1; file < arguments.length; file++) {
            int where = Integer.parseInt(arguments[file]) << 3 | 4;
            for (int number = 1; ; number++) {
                ResponseAPDU answer = channel.transmit(new CommandAPDU(0, 0xB2, number, where, 256));
                for (byte octet : answer.getData()) System.out.printf("%02X", octet);
                System.out.printf(" %04X%n", answer.getSW());
                if (answer.getSW() != 0x9000) break;
            }
        }
        card.disconnect(true);
    }
}
