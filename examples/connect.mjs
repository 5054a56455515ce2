// node connect.mjs HOST PORT: opens a TCP connection and prints what comes; each line of the standard input is
// sent, and waited for 2 s; its end ends the connection. A refusal is tried again meanwhile: the server may still
// be starting. Exits 1 when there is no connection within 2 s, or when it is dead.
import net from "node:net";
import { createInterface } from "node:readline";

const [host, port] = process.argv.slice(2);
const dead = (why) => {
  console.log(why);
  process.exit(1);
};
let refused = "";
let isOver = false;
const late = () => dead(`no connection to ${host} port ${port} in 2 s${refused}`);
let timer = setTimeout(late, 2000);
let socket = connect();

function connect() {
  return net
    .connect({ host, port: Number(port) })
    .on("error", ({ code }) => {
      if (code !== "ECONNREFUSED") dead(`no connection to ${host} port ${port}: ${code}`);
      refused = ": it is refused";
      setTimeout(() => {
        socket = connect();
      }, 50);
    })
    .on("end", () => (isOver ? process.exit(0) : dead("the connection is closed")))
    .on("data", (chunk) => {
      clearTimeout(timer);
      process.stdout.write(chunk);
      if (isOver) socket.end();
    });
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    clearTimeout(timer);
    timer = setTimeout(dead, 2000, "the connection is dead: nothing came back in 2 s");
    socket.write(`${line}\n`);
  })
  .on("close", () => {
    isOver = true;
    if (socket.bytesRead > 0) socket.end();
  });
