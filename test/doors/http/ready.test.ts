/** What /readyz says in front of a queue: what taking mail in needs, and nothing of where it goes afterwards. */
import { describe, expect, it } from "vitest";
import { type Overrides, type RunningService, startService } from "../../helpers/service.ts";
import { openTalk } from "../../helpers/smtp-talk.ts";

const NOBODY = "smtp://127.0.0.1:1";

async function relay(nextHop: object, more: Overrides = {}) {
  const service = await startService({
    listeners: [
      { door: "smtp", listen: "127.0.0.1:0", requireTls: false },
      { door: "http", listen: "127.0.0.1:0" },
      { door: "metrics", listen: "127.0.0.1:0" },
    ],
    nextHop: { timeoutMs: 1_000, ...nextHop },
    ...more,
  });
  return { service, ready: (door = 1) => askReady(service, door) };
}

async function askReady(service: RunningService, door: number): Promise<string> {
  const url = `http://127.0.0.1:${service.ports[door]}/readyz`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  const { reason = "" } = (await answer.json()) as { reason?: string };
  return `${answer.status} ${reason}`.trim();
}

const QUEUE = { processes: 0, reserveMb: 1 };

describe("a relay that queues", () => {
  it("is ready while its next hop is away, at both doors, where one that proxies is not", async () => {
    const queueing = await relay({ to: NOBODY, mode: "queue" }, { queue: QUEUE });
    expect([await queueing.ready(1), await queueing.ready(2)]).toEqual(["200", "200"]);
    const proxying = await relay({ to: NOBODY });
    expect(await proxying.ready()).toMatch(/^503 /);
  });

  it("is not ready where the spool has no room", async () => {
    const { ready } = await relay({ to: NOBODY, mode: "queue" }, { queue: { ...QUEUE, reserveMb: 1_048_576 } });
    expect(await ready()).toMatch(/^503 the spool is full: \d+ MB free, and 1048576 are kept$/);
  });

  it("is not ready where the ledger could not be written just now", async () => {
    const { service, ready } = await relay({ to: NOBODY, mode: "queue" }, { queue: QUEUE });
    expect(await ready()).toBe("200");
    await service.house.journal.close();
    const talk = await openTalk(service.smtp);
    await talk.sayAll("EHLO mx.host.example", "MAIL FROM:<a@host.example>", "RCPT TO:<b@example.com>", "DATA");
    const date = new Date().toUTCString().replace("GMT", "+0000");
    expect((await talk.data(`From: a@host.example\nDate: ${date}\nSubject: x\n\nhello\n`)).code).toBe(451);
    expect(await ready()).toMatch(/^503 the ledger cannot be written: /);
  });
});
