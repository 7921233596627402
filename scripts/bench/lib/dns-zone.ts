/** The bench's DNS server as a process of its own, so that what it costs is not counted: PORT DELAY_MS TTL_S, then one JSON list of zone lines. */
import { startDnsServer, zoneOf } from "../../lib/dns/server.ts";

const [delayMs = "0", ttl = "3600", lines = "[]"] = process.argv.slice(2);
const server = await startDnsServer({
  zone: zoneOf(JSON.parse(lines) as string[]),
  delayMs: Number(delayMs),
  ttl: Number(ttl),
});
process.stdout.write(`${server.address}\n`);
process.on("SIGTERM", () => void server.stop().then(() => process.exit(0)));
