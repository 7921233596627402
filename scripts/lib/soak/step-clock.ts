/**
 * Loaded before the relay (node --import): its clock is ours to step. At its start and at SIGUSR2 it reads by how much from the file that
 * STEP_CLOCK names; monotonic time goes on as it does on a machine whose clock is set.
 */
import { existsSync, readFileSync } from "node:fs";

const file = process.env.STEP_CLOCK ?? "";
const realNow = Date.now;
let aheadMs = 0;

const read = (): void => {
  aheadMs = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
};
process.on("SIGUSR2", read);
read();
Date.now = () => realNow() + aheadMs;
