/**
 * Run by dial.ts in a host's namespace: connects to the address and port that its arguments name, hands the socket
 * to the parent over the channel, and ends. A socket belongs to the namespace it was opened in, whoever uses it.
 */
import net from "node:net";

const [host = "", port = ""] = process.argv.slice(2);
const socket = net.connect({ host, port: Number(port) });
socket.once("error", (error) => process.send?.({ error: error.message }, () => process.exit(1)));
socket.once("connect", () => process.send?.("connected", socket, {}, () => process.exit()));
