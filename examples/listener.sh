#!/bin/sh
# User data of a host that answers on TCP port 9092 where a broker would: it greets with the address that it is
# called from, and sends back what it is told.
exec node -e 'require("node:net").createServer((socket) => {
  socket.on("error", () => {});
  socket.write(`hello ${socket.remoteAddress}\n`);
  socket.pipe(socket);
}).listen(9092, "0.0.0.0", () => console.log("listening on port 9092"))'
