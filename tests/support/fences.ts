/**
 * The fenced blocks of a Markdown file that a test can run, and one shell to run them in. The first word of a
 * block's info string is its language, the second says how it is run:
 *
 *   sh             run; every command must end with 0
 *   sh customer    the same, on the customer's side: it needs `aws`
 *   sh packets     the same, where the sandbox carries packets
 *   sh serve       run in the background until it says `ready`
 *   sh install     not run: whoever runs the tests has done it
 *
 * Blocks of other languages are for reading.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const WAYS = ["run", "customer", "packets", "serve", "install"] as const;

export interface Fence {
  readonly way: (typeof WAYS)[number];
  /** The heading it stands under. */
  readonly section: string;
  readonly line: number;
  readonly text: string;
}

/** Blocks in `sh`, in order. Refuses one that is to be run in a way nobody knows. */
export function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = [];
  let section = "";
  let open: { info: string; line: number; text: string[] } | null = null;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (open && line === "```") {
      fences.push(...fenceOf({ ...open, section }));
      open = null;
    } else if (open) open.text.push(line);
    else if (line.startsWith("```")) open = { info: line.slice(3), line: index + 1, text: [] };
    else section = /^## (.+)$/.exec(line)?.[1] ?? section;
  }
  return fences;
}

interface Found {
  readonly info: string;
  readonly line: number;
  readonly text: readonly string[];
  readonly section: string;
}

function fenceOf({ info, line, text, section }: Found): Fence[] {
  const [language, word = "run", ...rest] = info.trim().split(/\s+/);
  if (language !== "sh") return [];
  const way = WAYS.find((one) => one === word);
  if (!way || rest.length > 0) throw new Error(`line ${line}: nobody knows how to run a block "${info}"`);
  return [{ way, section, line, text: `${text.join("\n")}\n` }];
}

export interface Shell {
  /** Resolves to what was printed; rejects when a command fails. Variables stay for the next call. */
  run(script: string): Promise<string>;
  close(): Promise<void>;
}

export interface ShellPlace {
  /** Working folder of the shell. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where the shell's scripts are put. */
  readonly scripts: string;
}

/** One bash for many blocks. The block comes from a file, so that commands cannot read it as their input. */
export function openShell({ cwd, env, scripts }: ShellPlace): Shell {
  const bash = spawn("bash", ["--norc", "-euo", "pipefail"], { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(bash, "close");
  let count = 0;
  return {
    run: (script) => {
      count += 1;
      const file = join(scripts, `block-${count}.sh`);
      writeFileSync(file, script);
      return ran(bash, `source '${file}' </dev/null 2>&1; echo "block ${count} is done"\n`, count);
    },
    close: async () => {
      bash.stdin.end();
      await ended;
    },
  };
}

function ran(bash: ChildProcess, line: string, count: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const done = `block ${count} is done\n`;
    const heard = (chunk: Buffer) => {
      printed += String(chunk);
      if (!printed.endsWith(done)) return;
      leave();
      resolve(printed.slice(0, -done.length));
    };
    const failed = (code: number | null) => {
      leave();
      reject(new Error(`a command ended with ${code}:\n${printed}`));
    };
    const leave = () => {
      bash.stdout?.off("data", heard);
      bash.stderr?.off("data", heard);
      bash.off("close", failed);
    };
    bash.stdout?.on("data", heard);
    bash.stderr?.on("data", heard);
    bash.once("close", failed);
    bash.stdin?.write(line);
  });
}
