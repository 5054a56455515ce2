import { openGround } from "./crash.ts";
import { create, drop } from "./acts.ts";
const ground = await openGround({ unseenMsMin: 0, unseenMsMax: Number(process.argv[2]), seed: 1 });
for (let i = 0; i < 5; i++) {
  const u0 = process.cpuUsage();
  const t0 = performance.now();
  const c = await create(ground, { windowMs: 90_000, size: "small" });
  const u1 = process.cpuUsage(u0);
  const t1 = performance.now();
  const d = await drop(ground, { windowMs: 90_000});
  const u2 = process.cpuUsage(u0);
  console.log("create", c.rounds, ((u1.user + u1.system) / 1000).toFixed(), (t1-t0).toFixed(), "drop", d.rounds, ((u2.user + u2.system - u1.user-u1.system) / 1000).toFixed(), (performance.now()-t1).toFixed());
}
process.exit(0);
