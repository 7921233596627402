/** The bare streaming peer (bare-relay.ts) in so many processes behind one port, by node:cluster: what a second process gives it here. */
import cluster from "node:cluster";

const [port = "0", sinkPort = "0", processes = "1"] = process.argv.slice(2);

if (cluster.isPrimary) {
  for (let n = 0; n < Number(processes); n += 1) cluster.fork();
  process.once("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill("SIGKILL");
    process.exit(0);
  });
} else {
  const [node = "", script = ""] = process.argv;
  process.argv = [node, script, port, "stream", sinkPort];
  await import("./bare-relay.ts");
}
