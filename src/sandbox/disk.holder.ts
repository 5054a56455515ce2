/** Run by disk.test.ts as a process of its own: opens the folder, commits a row, and holds on until killed. */
import { openDisk } from "./disk.ts";
import { type Row, Table } from "./state.ts";

const table = new Table<Row>("things");
const disk = openDisk([table], process.argv[2]);
table.put({ id: "kept", account: "111111111111", region: "us-east-1", at: 0, tags: [] });
disk.commit();
process.send?.("holding");
// Keeps the process alive: the channel to the parent is open.
process.on("message", () => disk.close());
