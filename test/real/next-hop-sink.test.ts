import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { NextHop } from "../../src/delivery/next-hop.ts";
import { openNextHop } from "../../src/delivery/open.ts";
import { parcelOf } from "../../src/delivery/parcel.ts";
import { contentOf, recipientOf, senderOf, sessionOf } from "../helpers/letters.ts";

/** Postfix' own test server, which can be told to misbehave. */
const SINK = "/usr/sbin/smtp-sink";

function sinkIsHere(): boolean {
  try {
    execFileSync("test", ["-x", SINK]);
    return true;
  } catch {
    return false;
  }
}

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

/** A sink on a unix socket: no port to find. */
async function world(flags: readonly string[], scheme = "smtp"): Promise<NextHop> {
  const directory = await mkdtemp(join(tmpdir(), "sink-"));
  const path = join(directory, "socket");
  const user = process.getuid?.() === 0 ? ["-u", "root"] : [];
  const sink = spawn(SINK, [...user, ...flags, `unix:${path}`, "100"], { stdio: "ignore" });
  const hop = openNextHop(`${scheme}+unix:${path}`, {
    hostname: "relay.example",
    timeoutMs: 10_000,
    connectionsMax: 20,
    idleMs: 60_000,
    mailsPerConnectionMax: 1_000,
    tls: "never",
  });
  running.push(async () => {
    await hop.close(100);
    await ended(sink);
    await rm(directory, { recursive: true });
  });
  await expect.poll(() => answers(path), { timeout: 5_000 }).toBe(true);
  return hop;
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => resolve(true)).on("error", () => resolve(false));
    socket.on("data", () => socket.destroy());
  });

function ended(child: ChildProcess): Promise<unknown> {
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  return exit;
}

async function deliver(hop: NextHop, mail = "x\r\n", recipients = 1) {
  const handover = hop.begin(sessionOf(), senderOf("a@example.com"), "01MAIL");
  for (let i = 0; i < recipients; i += 1) {
    const rcpt = await handover.rcpt(recipientOf(`b${i}@example.com`));
    if (rcpt.code !== 250) {
      handover.abort();
      return [rcpt.code];
    }
  }
  const parcel = parcelOf(contentOf(mail), Buffer.from("Received: by us\r\n"), []);
  return (await handover.data(parcel, Promise.resolve())).replies.map((reply) => reply.code);
}

describe.skipIf(!sinkIsHere())("smtp-sink as the next hop (skipped without postfix)", () => {
  it("takes many mails at a time on kept connections", async () => {
    const hop = await world([]);
    const line = `${"x".repeat(70)}\r\n`;
    for (const mail of ["x\r\n", line.repeat(60), line.repeat(2_000)]) {
      const codes = await Promise.all(Array.from({ length: 100 }, () => deliver(hop, mail)));
      expect(codes.flat()).toEqual(Array(100).fill(250));
    }
  });

  it("takes mails without pipelining", async () => {
    const hop = await world(["-p"]);
    expect(await deliver(hop, "x\r\n", 3)).toEqual([250]);
  });

  it("takes mails without EHLO", async () => {
    const hop = await world(["-e"]);
    expect(await deliver(hop)).toEqual([250]);
  });

  it("answers for each recipient in LMTP", async () => {
    const hop = await world(["-L"], "lmtp");
    expect(await deliver(hop, "x\r\n", 3)).toEqual([250, 250, 250]);
  });

  it.each([
    ["refuses RCPT for good", ["-f", "rcpt"], [500]],
    ["refuses RCPT for now", ["-r", "rcpt"], [450]],
    ["refuses MAIL", ["-f", "mail"], [500]],
    ["refuses DATA", ["-f", "data"], [500]],
    ["refuses the mail", ["-f", "."], [500]],
  ])("that %s is heard", async (_, flags, codes) => {
    expect(await deliver(await world(flags))).toEqual(codes);
  });

  it.each(["connect", "ehlo", "mail", "rcpt", "data", "."])("that hangs up at %s is Unavailable", async (step) => {
    const hop = await world(step === "connect" ? [] : ["-q", step]);
    if (step === "connect") for (const stop of running.splice(0)) await stop();
    await expect(deliver(hop)).rejects.toMatchObject({ name: "Unavailable", dependency: "next-hop" });
  });
});
