/**
 * What instances wrote to their consoles. Promises the last 64 KiB of each, for as long as the instance is
 * visible. It is memory alone: after a restart the consoles begin anew, as the hosts do.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-console.html
 */
const MOST_BYTES = 64 * 1024;
const NEWLINE = 10;

export interface ConsoleOutput {
  readonly output: Buffer;
  /** When it was last written to, epoch milliseconds. */
  readonly at: number;
}

export class Consoles {
  readonly #outputs = new Map<string, ConsoleOutput>();
  #excuse: string | undefined;

  write(instanceId: string, text: string | Buffer, at: number): void {
    const before = this.#outputs.get(instanceId)?.output ?? Buffer.alloc(0);
    const output = Buffer.concat([before, Buffer.from(text)]).subarray(-MOST_BYTES);
    this.#outputs.set(instanceId, { output, at });
  }

  /** A line of its own, whatever was written before. */
  writeLine(instanceId: string, line: string, at: number): void {
    const last = this.#outputs.get(instanceId)?.output.at(-1);
    const isAtStart = last === undefined || last === NEWLINE;
    this.write(instanceId, `${isAtStart ? "" : "\n"}${line}\n`, at);
  }

  /** Why instances write nothing here. */
  excuse(why: string): void {
    this.#excuse = why;
  }

  of(instanceId: string): Partial<ConsoleOutput> {
    const excuse = this.#excuse === undefined ? {} : { output: Buffer.from(`${this.#excuse}\n`) };
    return this.#outputs.get(instanceId) ?? excuse;
  }

  /** Forgets the consoles of instances that are no more. */
  keep(isKnown: (instanceId: string) => boolean): void {
    for (const id of this.#outputs.keys()) if (!isKnown(id)) this.#outputs.delete(id);
  }
}
