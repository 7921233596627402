/**
 * A consentry of its own with a small DNS server behind it, for the scenarios about who sent a mail: the one being tried asks the real
 * DNS or none, and nobody wants to publish records for a demonstration.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startDnsServer, zoneOf } from "../dns/server.ts";

export interface NamedHouse {
  /** host:port of its door for the world. */
  readonly server: string;
  stop(): Promise<void>;
}

const UP_MS = 30_000;

/** What that DNS says: 192.0.2.7 may send for friend.example, and bank.example wants nothing sent that it did not sign. */
const ZONE = zoneOf([
  "friend.example TXT v=spf1 ip4:192.0.2.7 -all",
  "friend.example MX 10 mx.friend.example",
  "mx.friend.example A 192.0.2.7",
  "7.2.0.192.in-addr.arpa PTR mx.friend.example",
  "bank.example TXT v=spf1 -all",
  "bank.example MX 10 mx.bank.example",
  "_dmarc.bank.example TXT v=DMARC1; p=reject",
  "silent.example silence",
]);

/** @param house the checkout */
export async function startNamedHouse(house: string): Promise<NamedHouse> {
  const dns = await startDnsServer({ zone: ZONE });
  const dir = mkdtempSync(join(tmpdir(), "consentry-try-"));
  const port = await freePort();
  const config = [
    "hostname: relay.example.net",
    `listeners: [{ door: smtp, listen: "127.0.0.1:${port}" }]`,
    "localDomains: [example.com]",
    "trustedProxies: [127.0.0.1]",
    `dataDir: ${join(dir, "var")}`,
    `nextHop: { to: "maildir:${join(dir, "mail")}" }`,
    `dns: { servers: ["${dns.address}"], timeoutMs: 2000 }`,
    'rules: { "envelope/authenticity": { spfFail: reject } }',
    "log: { level: warn }",
  ];
  writeFileSync(join(dir, "consentry.yaml"), `${config.join("\n")}\n`);
  const child = spawn("bin/consentry", ["serve", "--config", join(dir, "consentry.yaml")], {
    cwd: house,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await listening(port);
  return {
    server: `127.0.0.1:${port}`,
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
      await dns.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** @throws Error when nobody listens there in time */
export async function listening(port: number): Promise<void> {
  const until = Date.now() + UP_MS;
  while (Date.now() < until) {
    const socket = connect(port, "127.0.0.1");
    const up = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (up) return;
    await sleep(100);
  }
  throw new Error(`nobody listens on 127.0.0.1:${port}`);
}
