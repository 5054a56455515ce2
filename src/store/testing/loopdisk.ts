/**
 * A disk whose power can be cut, for tests: an ext4 image on a loop device, shut down by force, so that
 * everything that was not forced to the disk is lost. Needs root and Linux; says what is missing otherwise.
 * After a cut the image's copy is mounted: a mount namespace that somebody made meanwhile holds on to the old
 * one, and the kernel would hand out that dead file system again.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";

export interface LoopDisk {
  /** Where it is mounted. */
  readonly folder: string;
  /** From now on nothing more reaches the disk. */
  cutPower(): void;
  /** Mounts it again, as after a start. Whoever had files open there must be gone. */
  powerOn(): void;
  remove(): void;
}

/** EXT4_IOC_SHUTDOWN without flushing the log: https://github.com/torvalds/linux/blob/master/fs/ext4/ext4.h */
const SHUTDOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))
`;

/** A disk, or why there can be none here. */
export function loopDisk(megabytes: number): LoopDisk | string {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs Linux and root";
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "letsdata-disk-"));
  let image = path.join(home, "image");
  const folder = path.join(home, "disk");
  const mount = () => quiet("mount", "-o", "loop", image, folder);
  const disk: LoopDisk = {
    folder,
    cutPower: () => quiet("python3", "-c", SHUTDOWN, folder),
    powerOn: () => {
      quiet("umount", folder);
      const copy = `${image}+`;
      quiet("cp", "--sparse=always", image, copy);
      fs.rmSync(image);
      image = copy;
      mount();
    },
    remove: () => {
      quiet("umount", folder);
      fs.rmSync(home, { recursive: true });
    },
  };
  try {
    fs.mkdirSync(folder);
    quiet("truncate", "-s", `${megabytes}M`, image);
    quiet("mkfs.ext4", "-q", image);
    mount();
    disk.cutPower();
    disk.powerOn();
    return disk;
  } catch (thrown) {
    if (fs.statSync(folder).dev !== fs.statSync(home).dev) quiet("umount", folder);
    fs.rmSync(home, { recursive: true });
    return `needs loop devices, mkfs.ext4 (apt-get install e2fsprogs) and python3: ${String(thrown)}`;
  }
}

function quiet(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: "pipe" });
}
