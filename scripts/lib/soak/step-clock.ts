/**
 * Loaded before the relay (node --import): its clock is ours to step. At SIGUSR2 it reads by how much from the file that STEP_CLOCK names;
 * monotonic time goes on as it does on a machine whose clock is set.
 */
import { readFileSync } from "node:fs";

const file = process.env.STEP_CLOCK ?? "";
const realNow = Date.now;
let aheadMs = 0;

Date.now = () => realNow() + aheadMs;
process.on("SIGUSR2", () => {
  aheadMs = Number(readFileSync(file, "utf8"));
});
