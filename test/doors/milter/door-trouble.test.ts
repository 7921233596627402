import { mkdirSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Unavailable } from "../../../src/kit/trouble.ts";
import type { Content } from "../../../src/mail/content.ts";
import { hold, PASS, reject } from "../../../src/rules/define.ts";
import { letter } from "../../helpers/letters-now.ts";
import { type DoorSetup, greet, openDoor, spoken, tellContent, tellMail } from "../../helpers/milter-door.ts";
import { ruleOf } from "../../helpers/settings.ts";
import { tempDir } from "../../helpers/temp.ts";
import { until } from "../../helpers/wait.ts";

async function greeted(setup: DoorSetup = {}) {
  const door = await openDoor(setup);
  await greet(door.mta);
  return door;
}

/** Files of the spill directory still open in this process; they have no name from the start. */
const openFiles = (dir: string): string[] =>
  readdirSync("/proc/self/fd")
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return "";
      }
    })
    .filter((path) => path.startsWith(dir));

describe("a mail that is held", () => {
  const held = ruleOf("made/held", () => hold("look at it"), "header");

  it("goes into the MTA's quarantine, and the entry says so", async () => {
    const { mta, entries } = await greeted({ rules: [held] });
    const heard = await tellMail(mta);
    const [entry] = await entries();
    expect(heard).toMatchObject({ end: "ok", edits: [`q made/held - id ${entry?.mailId}`] });
    expect(entry).toMatchObject({ event: "held", verdict: "hold", queueId: "4QwErTy" });
  });

  it("is put off where the MTA has none", async () => {
    const { mta, entries } = await greeted({ rules: [held], offer: { version: 6, actions: 0x1ff & ~0x20 } });
    expect((await tellMail(mta)).end).toMatch(/^451-4\.7\.1 the mail has to be looked at/);
    expect(await entries()).toMatchObject([{ event: "deferred" }]);
  });
});

describe("when something is away", () => {
  it("no entry is no accept", async () => {
    const onAppend = () => {
      throw new Unavailable("ledger", "disk full");
    };
    const { mta } = await greeted({ onAppend });
    expect(await tellMail(mta)).toMatchObject({ end: expect.stringMatching(/^451-4\.3\.0 the record of this mail/) });
  });

  it("the MTA hears yes only after the entry was written", async () => {
    const events: string[] = [];
    const onAppend = async ([entry]: readonly { event: string }[]) => {
      await new Promise((resolve) => setImmediate(resolve));
      events.push(entry?.event ?? "");
    };
    const { mta } = await greeted({ onAppend });
    await tellMail(mta);
    expect(events[0]).toBe("received");
  });

  it("a client register that is away refuses no connection, and puts mail off", async () => {
    let away = true;
    const { mta, faults } = await greeted({ registerAway: () => away });
    expect((await tellMail(mta)).mail).toMatch(/^451-4\.3\.0 the registers do not answer/);
    away = false;
    expect((await tellMail(mta)).end).toBe("ok");
    expect(faults).toEqual([]);
  });

  it.each(["mail", "rcpt", "header"] as const)("a rule that breaks at %s defers", async (stage) => {
    const broken = ruleOf(
      "made/broken",
      () => {
        throw new TypeError("a bug");
      },
      stage,
    );
    const { mta, entries } = await greeted({ rules: [broken] });
    const { mail, rcpts, end } = await tellMail(mta);
    expect([mail, ...rcpts, end].find((reply) => reply !== "ok")).toMatch(/^451-4\.3\.0 a check could not be made/);
    expect(await entries()).toMatchObject([{ event: "deferred" }]);
  });

  it("a disk that fails in the middle of a large mail defers it, and the next mail goes through", async () => {
    const spillDir = tempDir();
    const { mta, entries, faults } = await greeted({ spillDir: join(spillDir, "gone") });
    const large = letter(`${"x".repeat(70)}\n`.repeat(2_000));
    expect((await tellMail(mta, { text: large })).end).toMatch(/^452-4\.3\.1 no space left/);
    expect(await entries()).toMatchObject([{ event: "deferred", queueId: "4QwErTy" }]);
    expect((await tellMail(mta)).end).toBe("ok");
    expect(faults).toEqual([]);
  });
});

describe("bounds of a mail", () => {
  const line = `${"x".repeat(70)}\n`;
  it.each([
    ["too large", letter(line.repeat(600)), { mailBytesMax: 20_000 }, /^552-5\.3\.4 the mail is too large/],
    [
      "a header block too large",
      letter("", `X-Long: ${line}${`\t${line}`.repeat(300)}`),
      {},
      /^552-5\.3\.4 the header block/,
    ],
    ["too many headers", letter("", "X-A: 1\n".repeat(101)), {}, /^552-5\.3\.4 there are too many header fields/],
    ["a NUL", letter("a\0b\n"), {}, /^550-5\.6\.0 a NUL byte/],
    ["too many Received", letter("", "Received: from a by b; x\n".repeat(51)), {}, /^554-5\.4\.6 .*loop/],
  ])("%s: refused, and written down", async (_, text, limits, answer) => {
    const { mta, entries, faults } = await greeted({ limits });
    expect((await tellMail(mta, { text })).end).toMatch(answer);
    expect(await entries()).toMatchObject([{ event: "refused", recipient: "ann@example.com", queueId: "4QwErTy" }]);
    expect((await tellMail(mta)).end).toBe("ok");
    expect(faults).toEqual([]);
  });
});

describe("the text of a mail", () => {
  /** What the body rules get to see. */
  async function seenOf(tell: (mta: Awaited<ReturnType<typeof openDoor>>["mta"]) => Promise<unknown>, setup = {}) {
    const contents: { content: Content; text: string }[] = [];
    const looker = ruleOf(
      "made/looker",
      async ({ content }) => {
        const pieces: Buffer[] = [];
        for await (const piece of content.read()) pieces.push(piece);
        contents.push({ content, text: Buffer.concat(pieces).toString("latin1") });
        return PASS;
      },
      "body",
    );
    const door = await greeted({ rules: [looker], ...setup });
    await door.mta.mail("<bob@sender.example>");
    await door.mta.rcpt("<ann@example.com>");
    await tell(door.mta);
    return { ...door, seen: contents[0] };
  }

  it.each([
    ["with its last line end", ["a\r\nb\r\n"], "a\r\nb\r\n"],
    ["without its last line end", ["a\r\nb"], "a\r\nb\r\n"],
    ["cut inside a line end", ["a\r", "\nb\r\n"], "a\r\nb\r\n"],
    ["without a body", [], ""],
  ])("is whole %s", async (_, chunks, body) => {
    const { seen } = await seenOf(async (mta) => {
      await mta.header("Subject", " x\n\ty");
      await mta.header("From", "\xff@b");
      await mta.endOfHeaders();
      for (const chunk of chunks) await mta.body(chunk);
      await mta.endOfMessage();
    });
    expect(seen?.text).toBe(`Subject: x\r\n\ty\r\nFrom:\xff@b\r\n\r\n${body}`);
    expect(seen?.content.bytes).toBe(seen?.text.length);
  });

  it("may have no header, or come with the end in one piece", async () => {
    const { seen } = await seenOf(async (mta) => {
      await mta.endOfHeaders();
      await mta.endOfMessage(Buffer.from("only this"));
    });
    expect(seen?.text).toBe("\r\nonly this\r\n");
  });

  it("waits on disk when it is large, and leaves nothing there", async () => {
    const spillDir = join(tempDir(), "incoming");
    mkdirSync(spillDir);
    const chunk = Buffer.from(`${"y".repeat(1022)}\r\n`.repeat(60));
    const { seen, mta } = await seenOf(
      async (mta) => {
        await mta.header("Subject", " large");
        await mta.endOfHeaders();
        for (let i = 0; i < 100; i += 1) await mta.body(chunk);
        await until("it is on disk", () => openFiles(spillDir).length === 1);
        expect(spoken((await mta.endOfMessage()).at(-1))).toBe("ok");
      },
      { spillDir, limits: { mailBytesMax: 50_000_000 } },
    );
    expect(seen?.content.whole).toBeUndefined();
    expect(seen?.text.length).toBe("Subject: large\r\n\r\n".length + 100 * chunk.length);
    await until("the file is closed", () => openFiles(spillDir).length === 0);

    await mta.mail("<bob@sender.example>");
    await mta.rcpt("<ann@example.com>");
    await mta.endOfHeaders();
    for (let i = 0; i < 4; i += 1) await mta.body(chunk);
    await until("a file is open", () => openFiles(spillDir).length === 1);
    mta.destroy();
    await until("the MTA's leaving closes it", () => openFiles(spillDir).length === 0);
    rmSync(spillDir, { recursive: true });
  });
});

describe("mail that comes back from our own SMTP door", () => {
  const strict = ruleOf("made/strict", () => reject("helo-forged"));
  const setup: DoorSetup = { rules: [strict], trustedProxies: ["192.0.2.0/24"] };
  const passed = (id: string, by = "relay.example.net"): string =>
    letter(
      "hello\n",
      `Received: from mx.sender.example ([203.0.113.9])\n\tby ${by} (consentry) with ESMTP id ${id};\n\tx\n`,
    )
      .split("\n")
      .sort((a, b) => Number(/^(Received|\t)/.test(b)) - Number(/^(Received|\t)/.test(a)))
      .join("\n");

  it.each(["127.0.0.1", "::1", "192.0.2.3"])(
    "is not judged again when %s hands it over; its record goes on",
    async (ip) => {
      const { mta, entries, ids } = await openDoor(setup);
      await greet(mta, ip, "relay.example.net");
      const id = ids.sealed();
      const heard = await tellMail(mta, { to: [["<x@other.example>"]], text: passed(id), queueId: "Q2" });
      expect(heard).toEqual({ mail: "ok", rcpts: ["ok"], end: "ok", edits: [] });
      expect(await entries()).toMatchObject([
        { event: "received", mailId: id, queueId: "Q2", door: "milter", recipient: "x@other.example" },
        { event: "handed-over", mailId: id },
      ]);
    },
  );

  interface Odd {
    readonly ip?: string;
    readonly helo?: string;
    readonly login?: string;
    readonly id?: string;
    readonly by?: string;
    readonly below?: string;
    readonly ageMs?: number;
  }
  const ODD: [string, Odd][] = [
    ["from anywhere else", { ip: "203.0.113.9" }],
    ["with another greeting", { helo: "mx.sender.example" }],
    ["with a login", { login: "anna" }],
    ["with an id that is not ours", { id: "01ABCDEFGHJKMNPQRSTVWXY" }],
    ["with our id under another name", { by: "other.example" }],
    ["with our id below another line", { below: "Received: from a by b; x\n" }],
    ["with an id of two hours ago", { ageMs: 7_200_000 }],
  ];
  it.each(ODD)("is judged in full %s", async (_, odd) => {
    const { mta, entries, ids, clock } = await openDoor(setup);
    const sealed = ids.sealed();
    await clock.pass(odd.ageMs ?? 0);
    await greet(mta, odd.ip ?? "127.0.0.1", odd.helo ?? "relay.example.net");
    const text = (odd.below ?? "") + passed(odd.id ?? sealed, odd.by);
    const heard = await tellMail(mta, { text, ...(odd.login !== undefined && { login: odd.login }) });
    const refusals = [heard.mail, ...heard.rcpts, heard.end].filter((reply) => reply !== "ok" && reply !== "");
    expect(refusals).toEqual([expect.stringMatching(/^550-5\.7\.1 HELO claims to be this server/)]);
    expect(heard.edits).toEqual([]);
    expect(await entries()).toMatchObject([{ event: "refused" }]);
  });

  it("is refused for all when it is judged in full and one may not have it", async () => {
    const notX = ruleOf(
      "made/not-x",
      ({ recipient }) => (recipient.address.local === "x" ? reject("consent-missing") : PASS),
      "rcpt",
    );
    const { mta, entries } = await openDoor({ rules: [notX] });
    await greet(mta, "127.0.0.1", "relay.example.net");
    const heard = await tellMail(mta, { to: [["<ann@example.com>"], ["<x@example.com>"]] });
    expect(heard).toMatchObject({ rcpts: ["ok", "ok"], end: expect.stringMatching(/^550-5\.7\.1 this recipient/) });
    expect((await entries()).map(({ event }) => event)).toEqual(["refused"]);
    expect((await tellMail(mta)).end).toBe("ok");
  });

  it("is refused at its end for what the door itself refuses", async () => {
    const { mta } = await openDoor();
    await greet(mta, "127.0.0.1", "relay.example.net");
    expect((await tellMail(mta, { text: letter("a\0b\n") })).end).toMatch(/^550-5\.6\.0 a NUL byte/);
  });
});

describe("the end of a connection", () => {
  it("in the middle of judging lets the judgement end and tells nobody", async () => {
    let begun = false;
    let release = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = ruleOf(
      "made/slow",
      async () => {
        begun = true;
        await waiting;
        return PASS;
      },
      "header",
    );
    const { mta, faults, entries } = await greeted({ rules: [slow] });
    await mta.mail("<bob@sender.example>");
    await mta.rcpt("<ann@example.com>");
    const ended = tellContent(mta, letter());
    await until("it is being judged", () => begun);
    mta.destroy();
    release();
    expect((await ended).at(-1)).toBeUndefined();
    await until("the judgement has ended", async () => (await entries()).length > 0);
    expect(faults).toEqual([]);
  });
});
