/** What a worker process runs. Its supervisor reloads for it: a terminal's SIGHUP is none of its business. */
import { tuneEngine } from "../kit/engine.ts";
import { channelOfProcess, lastWords, work } from "./worker.ts";

process.umask(0o077);
tuneEngine();
process.on("SIGHUP", () => undefined);
/**
 * Exiting waits for threads of LMDB, one of which may wait for this one. A supervisor would end that; where there is none any more nobody
 * would.
 */
const vanish = (): void => void process.kill(process.pid, "SIGKILL");
const channel = channelOfProcess(vanish);
process.on("uncaughtExceptionMonitor", (error) => channel.send(lastWords(error)));
try {
  // All is closed and on disk.
  if ((await work(channel)) === "orphaned") vanish();
  process.exit(0);
} catch (error) {
  process.send?.(lastWords(error), undefined, undefined, () => process.exit(1));
}
