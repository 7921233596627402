/** What a worker process runs. Its supervisor reloads for it: a terminal's SIGHUP is none of its business. */
import { channelOfProcess, lastWords, work } from "./worker.ts";

process.umask(0o077);
process.on("SIGHUP", () => undefined);
const channel = channelOfProcess(() => process.exit(1));
process.on("uncaughtExceptionMonitor", (error) => channel.send(lastWords(error)));
try {
  await work(channel);
  process.exit(0);
} catch (error) {
  process.send?.(lastWords(error), undefined, undefined, () => process.exit(1));
}
