/**
 * What tests of hosts wait for: words on an instance's console, and the end of a process.
 */
import { readFileSync } from "node:fs";
import { type EC2Client, GetConsoleOutputCommand } from "@aws-sdk/client-ec2";

/** What is on the console, once it says that. */
export async function consoleOf(client: EC2Client, InstanceId: string, says: RegExp): Promise<string> {
  for (;;) {
    const { Output = "" } = await client.send(new GetConsoleOutputCommand({ InstanceId }));
    const text = Buffer.from(Output, "base64").toString();
    if (says.test(text)) return text;
  }
}

/** Lets everything else have its turn. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** One that waits to be reaped has ended. */
function isAlive(pid: string | undefined): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

export async function gone(pid: string | undefined): Promise<void> {
  while (isAlive(pid)) await turn();
}
