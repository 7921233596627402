/** Real rspamd and clamd beside the real service: what they say decides, and without them happens what was configured. */
import { beforeAll, describe, expect, it } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import { createClamd } from "../../src/scorers/clamd.ts";
import { hasClamd, INFECTED, startClamd } from "../helpers/clamd.ts";
import { contentOf } from "../helpers/letters.ts";
import { EHLO, letter, MAIL, RCPT } from "../helpers/letters-now.ts";
import { freePort } from "../helpers/process.ts";
import { hasRspamd, startRspamd } from "../helpers/rspamd.ts";
import { type Overrides, type RunningService, startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";

async function send({ smtp }: RunningService, body: string): Promise<string> {
  const talk = await openTalk(smtp);
  await talk.sayAll(EHLO, MAIL, RCPT, "DATA");
  const { code, enhanced, lines } = await talk.data(letter(body));
  return [code, enhanced, lines[0]].join(" ");
}

const GTUBE = ["XJS*C4JDBQADN1.NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"].join("");

describe.skipIf(!hasRspamd)("rspamd (needs rspamd)", () => {
  let rspamd: Awaited<ReturnType<typeof startRspamd>>;
  beforeAll(async () => {
    rspamd = await startRspamd();
  });
  const start = (options: Overrides = {}): Promise<RunningService> =>
    startService({
      scorers: { rspamd: { url: `http://127.0.0.1:${rspamd.port}`, timeoutMs: 5_000 } },
      rules: { "content/spam-score": options },
    });

  it("lets ordinary mail go on, unwritten", async () => {
    const service = await start();
    expect(await send(service, "minutes of the meeting\n")).toMatch(/^250 2\.0\.0 stored/);
    const [entry] = await service.entries();
    expect(entry).toMatchObject({ event: "received" });
    expect(entry?.rules ?? []).not.toContain("content/spam-score");
  });

  it("has its score and what it found written down", async () => {
    const service = await start();
    expect(await send(service, "cheap pills\n")).toMatch(/^250 /);
    const [entry] = await service.entries();
    expect(entry?.rules).toContain("content/spam-score");
    expect(entry?.evidence).toMatchObject({ score: 7.5, found: "CHEAP_PILLS" });
  });

  it("holds from the score that is configured, also a mail that lies on disk", async () => {
    const service = await start({ holdFrom: 7 });
    expect(await send(service, "cheap pills\n")).toMatch(/^451 4\.7\.1 /);
    expect(await send(service, `cheap pills\n${"0123456789\n".repeat(150_000)}`)).toMatch(/^451 4\.7\.1 /);
  });

  it("refuses from the score that is configured, and the client hears no score", async () => {
    const service = await start({ rejectFrom: 15 });
    const heard = await send(service, `${GTUBE}\n`);
    expect(heard).toBe("550 5.7.1 the mail looks like spam");
  });

  it("away: the mail goes on with a note, or waits where that is configured", async () => {
    const scorers = { rspamd: { url: `http://127.0.0.1:${await freePort()}`, timeoutMs: 1_000 } };
    const mild = await startService({ scorers });
    expect(await send(mild, "minutes\n")).toMatch(/^250 /);
    expect((await mild.entries())[0]).toMatchObject({ rules: expect.arrayContaining(["content/spam-score"]) });
    const strict = await startService({ scorers, rules: { "content/spam-score": { whenAway: "defer" } } });
    expect(await send(strict, "minutes\n")).toMatch(/^451 4\.3\.0 a check could not be made/);
  });

  it("stopped in mid-air is away after its deadline, and back when it goes on", async () => {
    const service = await startService({
      scorers: { rspamd: { url: `http://127.0.0.1:${rspamd.port}`, timeoutMs: 700 } },
      rules: { "content/spam-score": { whenAway: "defer" } },
    });
    rspamd.program.signal("SIGSTOP");
    const children = await childrenOf(rspamd.program.pid);
    for (const pid of children) process.kill(pid, "SIGSTOP");
    try {
      expect(await send(service, "minutes\n")).toMatch(/^451 4\.3\.0/);
    } finally {
      for (const pid of children) process.kill(pid, "SIGCONT");
      rspamd.program.signal("SIGCONT");
    }
    expect(await send(service, "minutes\n")).toMatch(/^250 /);
  });
});

async function childrenOf(pid: number): Promise<number[]> {
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

describe.skipIf(!hasClamd)("clamd (needs clamd; a signature of our own stands for its database)", () => {
  let clamd: Awaited<ReturnType<typeof startClamd>>;
  beforeAll(async () => {
    clamd = await startClamd();
  });
  const start = (options: Overrides = {}): Promise<RunningService> =>
    startService({
      scorers: { clamd: { listen: `127.0.0.1:${clamd.port}`, timeoutMs: 5_000 } },
      rules: { "content/malware": options },
    });

  it("lets clean mail go on and refuses what it knows, by name in the ledger alone", async () => {
    const service = await start();
    expect(await send(service, "clean\n")).toMatch(/^250 /);
    expect(await send(service, `${INFECTED}\n`)).toBe("550 5.7.1 there is malware in the mail");
    const refused = (await service.entries()).find(({ event }) => event === "refused");
    expect(refused?.evidence?.malware).toMatch(/^Consentry\.Test/);
  });

  it("finds it at the end of a mail that lies on disk", async () => {
    const service = await startService({
      limits: { memoryBytesPerMailMax: 4_000 },
      scorers: { clamd: { listen: `unix:${clamd.socket}` } },
    });
    expect(await send(service, `${"0123456789\n".repeat(20_000)}${INFECTED}\n`)).toMatch(/^550 5\.7\.1 /);
  });

  it("that hangs up on a mail larger than it takes never makes it clean; bytesMax tells beforehand", async () => {
    const asked = createClamd({
      to: { port: clamd.port, host: "127.0.0.1" },
      timeoutMs: 5_000,
      bytesMax: 10_000_000,
      connectionsMax: 1,
    });
    const answer = await asked
      .scan(contentOf("0123456789\r\n".repeat(250_000), 65_536))
      .catch((error: unknown) => error);
    // Its last word may be lost with the connection.
    if (!(answer instanceof Unavailable)) expect(answer).toEqual({ tooLarge: true });
    const service = await startService({
      scorers: { clamd: { listen: `127.0.0.1:${clamd.port}`, bytesMax: 1_000_000 } },
      rules: { "content/malware": { whenTooLarge: "hold" } },
    });
    expect(await send(service, "0123456789\n".repeat(150_000))).toMatch(/^451 4\.7\.1 /);
  });

  it("away: the mail waits at its sender, or goes on where that is configured", async () => {
    const scorers = { clamd: { listen: `127.0.0.1:${await freePort()}`, timeoutMs: 1_000 } };
    expect(await send(await startService({ scorers }), "clean\n")).toMatch(/^451 4\.3\.0 a check could not be made/);
    const mild = await startService({ scorers, rules: { "content/malware": { whenAway: "note" } } });
    expect(await send(mild, "clean\n")).toMatch(/^250 /);
  });
});
