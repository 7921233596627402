/** What a worker process runs. Its supervisor reloads for it: a terminal's SIGHUP is none of its business. */
import { channelOfProcess, lastWords, work } from "./worker.ts";

process.umask(0o077);
process.on("SIGHUP", () => undefined);
const channel = channelOfProcess();
process.on("uncaughtExceptionMonitor", (error) => channel.send(lastWords(error)));
try {
  // All is closed and on disk. Exiting waits for threads of LMDB, one of which may wait for this one: a supervisor would end that, and
  // where there is none any more nobody would.
  if ((await work(channel)) === "orphaned") process.kill(process.pid, "SIGKILL");
  process.exit(0);
} catch (error) {
  process.send?.(lastWords(error), undefined, undefined, () => process.exit(1));
}
