/**
 * A Sendmail that takes everything its milter lets through and hands it to a sink. It knows no XCLIENT, so it runs in a network
 * of its own where clients really come from the addresses of the talks.
 */
import { rm } from "node:fs/promises";
import { createServer, connect as netConnect, type Socket } from "node:net";
import { join } from "node:path";
import type { Authenticate } from "./dovecot-auth.ts";
import type { Mta } from "./mta-talks.ts";
import type { TalkConnection } from "./play-talk.ts";
import { freePort } from "./process.ts";
import { startSaslauthd } from "./saslauthd.ts";
import { startScripted } from "./scripted-server.ts";
import { type Sendmail, startSendmail, trustedDirectory } from "./sendmail.ts";
import { openTalk } from "./smtp-talk.ts";
import type { ClientStep } from "./talk.ts";
import { until } from "./wait.ts";

const SERVER = { 4: "127.0.0.1", 6: "2001:db8::25" } as const;
const CLIENTS = ["203.0.113.9", "198.51.100.7", "192.0.2.7", "2001:db8::9"];

export async function startSendmailForTalks(): Promise<Mta & { readonly sendmail: Sendmail; stop(): Promise<void> }> {
  const dir = await trustedDirectory();
  let authenticate: Authenticate = async () => false;
  const auth = await startSaslauthd(join(dir, "mux"), (login, password) => authenticate(login, password));
  const sink = await startScripted({ unix: true, extensions: ["SMTPUTF8", "8BITMIME", "DSN"] });
  const submission = await freePort();
  const sendmail = await startSendmail({
    milter: `unix:${join(dir, "milter.sock")}`,
    nextPort: await freePort(),
    network: { addresses: [SERVER[4], SERVER[6]], clients: CLIENTS, nextSocket: sink.path },
    sasl: ["pwcheck_method: saslauthd", `saslauthd_path: ${auth.path}`, "mech_list: PLAIN"],
    mc: [
      "define(`confMAX_HOP', `1000')",
      "define(`confDELIVERY_MODE', `background')",
      "define(`confAUTH_MECHANISMS', `PLAIN')",
      "TRUST_AUTH_MECH(`PLAIN')",
      "FEATURE(`accept_unqualified_senders')",
      "define(`confALLOW_BOGUS_HELO', `True')",
      // No aliases, which is another thing than an alias file that cannot be read.
      "define(`ALIAS_FILE', `null:none')",
      "define(`MAIL_HUB', `relay:[127.0.0.1]')",
      `DAEMON_OPTIONS(\`Port=${submission}, Addr=${SERVER[4]}, Name=ORIGINATING')`,
    ],
  });
  const bridge = await startBridge(sendmail.bridge);
  return {
    socketDir: dir,
    sink,
    sendmail,
    logins(check) {
      authenticate = check;
    },
    connect: (client) => comeIn(bridge.port, client.port === "submission" ? submission : sendmail.port, client),
    settled: () =>
      until("the queue is empty", async () => (await sendmail.queued()).length === 0).then(() => undefined),
    async stop() {
      await bridge.stop();
      await sendmail.stop();
      await auth.stop();
      await sink.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A TCP port that leads to the namespace's socket. */
async function startBridge(path: string): Promise<{ port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const inside = netConnect(path);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    for (const [one, other] of [
      [socket, inside],
      [inside, socket],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function comeIn(
  bridge: number,
  port: number,
  { ip, helo, login, password }: ClientStep,
): Promise<TalkConnection> {
  const to = SERVER[ip.includes(":") ? 6 : 4];
  const talk = await openTalk(bridge, `${JSON.stringify({ from: ip, to, port })}\n`);
  let opened = await talk.say(`EHLO ${helo}`);
  if (login !== undefined) {
    opened = await talk.say(`AUTH PLAIN ${Buffer.from(`\0${login}\0${password}`).toString("base64")}`);
  }
  return { opened, say: talk.say, text: talk.data, close: talk.vanish };
}
