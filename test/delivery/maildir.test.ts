import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { maildirNextHop } from "../../src/delivery/maildir.ts";
import { mailboxName } from "../../src/delivery/maildir-names.ts";
import { parcelOf } from "../../src/delivery/parcel.ts";
import { contentOf, recipientOf, senderOf, sessionOf } from "../helpers/letters.ts";

const FRONT = Buffer.from("Received: by us\r\n");
const options = { hostname: "relay.example", timeoutMs: 5_000 };
let root = "";

beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), "maildir-")), "mail");
});
afterEach(() => rm(join(root, ".."), { recursive: true }));

interface Letter {
  readonly to?: readonly string[];
  readonly mail?: Buffer | string;
  readonly pieceBytes?: number;
  readonly ready?: Promise<unknown>;
  readonly sender?: string | null;
}

async function deliver({
  to = ["b@example.com"],
  mail = "x\r\n",
  pieceBytes,
  ready = Promise.resolve(),
  sender = "a@example.com",
}: Letter) {
  ready.catch(() => {});
  const handover = maildirNextHop(root, options).begin(sessionOf(), senderOf(sender), "01MAIL");
  for (const text of to) await handover.rcpt(recipientOf(text));
  return handover.data(parcelOf(contentOf(mail, pieceBytes), FRONT, []), ready);
}

const list = (box: string, part: string): Promise<string[]> => readdir(join(root, box, part)).catch(() => []);

async function only(box: string): Promise<Buffer> {
  const names = await list(box, "new");
  expect(names).toHaveLength(1);
  return readFile(join(root, box, "new", names[0] ?? ""));
}

describe("a mail into Maildirs", () => {
  it("has its trace lines in front and keeps its bytes, in memory or in pieces", async () => {
    const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7) % 256));
    for (const [name, pieceBytes] of [
      ["b@example.com", undefined],
      ["c@example.com", 999],
    ] as const) {
      const outcome = await deliver({ to: [name], mail: bytes, ...(pieceBytes ? { pieceBytes } : {}) });
      expect(outcome).toEqual({ replies: [{ code: 250, enhanced: "2.0.0", lines: ["stored"] }] });
      const trace = `Return-Path: <a@example.com>\r\nDelivered-To: ${name}\r\nReceived: by us\r\n`;
      expect(await only(name)).toEqual(Buffer.concat([Buffer.from(trace), bytes]));
    }
  });

  it("goes to each recipient, with the null sender as <>", async () => {
    await deliver({ to: ["b@example.com", "c@example.com"], sender: null });
    expect((await only("b@example.com")).toString()).toMatch(/^Return-Path: <>\r\nDelivered-To: b@/);
    expect((await only("c@example.com")).toString()).toMatch(/^Return-Path: <>\r\nDelivered-To: c@/);
  });

  it("has tmp, new and cur that only the owner reads", async () => {
    await deliver({});
    expect((await readdir(join(root, "b@example.com"))).sort()).toEqual(["cur", "new", "tmp"]);
    expect((await stat(join(root, "b@example.com", "new"))).mode & 0o077).toBe(0);
  });

  it("is in tmp until ready, then in new", async () => {
    let isReady = (): void => {};
    const ready = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    const outcome = deliver({ ready });
    await expect.poll(() => list("b@example.com", "tmp")).toHaveLength(1);
    expect(await list("b@example.com", "new")).toEqual([]);
    isReady();
    await outcome;
    expect([(await list("b@example.com", "tmp")).length, (await list("b@example.com", "new")).length]).toEqual([0, 1]);
  });

  it("is nowhere when ready fails", async () => {
    const trouble = new Error("no ledger");
    await expect(deliver({ to: ["b@example.com", "c@example.com"], ready: Promise.reject(trouble) })).rejects.toBe(
      trouble,
    );
    for (const box of ["b@example.com", "c@example.com"]) {
      expect([await list(box, "tmp"), await list(box, "new")]).toEqual([[], []]);
    }
  });

  it("is nowhere when ready comes too late", async () => {
    let isReady = (): void => {};
    const ready = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    const handover = maildirNextHop(root, { ...options, timeoutMs: 100 }).begin(sessionOf(), senderOf(null), "01MAIL");
    await handover.rcpt(recipientOf("b@example.com"));
    const outcome = handover.data(parcelOf(contentOf("x\r\n"), FRONT, []), ready);
    await expect(outcome).rejects.toMatchObject({ name: "Unavailable", dependency: "disk" });
    isReady();
    await expect.poll(() => list("b@example.com", "tmp")).toEqual([]);
    expect(await list("b@example.com", "new")).toEqual([]);
  });

  it("never shares a file name with another", async () => {
    await Promise.all(Array.from({ length: 40 }, (_, i) => deliver({ mail: `mail ${i}\r\n` })));
    const names = await list("b@example.com", "new");
    const mails = await Promise.all(names.map((name) => readFile(join(root, "b@example.com", "new", name), "utf8")));
    expect(new Set(mails).size).toBe(40);
  });

  it("survives the removal of a mailbox directory", async () => {
    const hop = maildirNextHop(root, options);
    const send = async () => {
      const handover = hop.begin(sessionOf(), senderOf(null), "01MAIL");
      await handover.rcpt(recipientOf("b@example.com"));
      return handover.data(parcelOf(contentOf("x\r\n"), FRONT, []), Promise.resolve());
    };
    await send();
    await rm(join(root, "b@example.com"), { recursive: true });
    expect((await send()).replies).toMatchObject([{ code: 250 }]);
    expect(await list("b@example.com", "new")).toHaveLength(1);
  });
});

describe("mailboxes", () => {
  it("are refused when a list of those that exist leaves them out", async () => {
    const hop = maildirNextHop(root, { ...options, mailboxes: ["b@example.com"] });
    const handover = hop.begin(sessionOf(), senderOf(null), "01MAIL");
    expect(await handover.rcpt(recipientOf("x@example.com"))).toMatchObject({ code: 550, enhanced: "5.1.1" });
    expect(await handover.rcpt(recipientOf("x+b@example.com"))).toMatchObject({ code: 550 });
    expect(await handover.rcpt(recipientOf("B@Example.com"))).toMatchObject({ code: 250 });
    expect(await handover.rcpt(recipientOf("b+news@example.com"))).toMatchObject({ code: 250 });
  });

  it.each([
    ["b@example.com", "b@example.com"],
    ["../../etc/passwd@example.com", "%2E.%2F..%2Fetc%2Fpasswd@example.com"],
    ["..", "%2E."],
    [".", "%2E"],
    ["a/b@example.com", "a%2Fb@example.com"],
    ["a\0b@example.com", "a%00b@example.com"],
    ["a%2fb@example.com", "a%252fb@example.com"],
    ["ä b@example.com", "%C3%A4%20b@example.com"],
  ])("called %j have the directory %s", (key, name) => {
    expect(mailboxName(key)).toBe(name);
  });

  it("have names that stay inside and are never shared", () => {
    const unit = fc.oneof(
      fc.constantFrom(".", "/", "\\", "%", "~", "\0", "a", "@", ":", " ", "é"),
      fc.string({ minLength: 1, maxLength: 1 }),
    );
    const key = fc.oneof(fc.string({ unit, maxLength: 12 }), fc.string({ unit, minLength: 90, maxLength: 400 }));
    fc.assert(
      fc.property(key, key, (one, other) => {
        const name = mailboxName(one);
        expect(name).toMatch(/^[a-z0-9@_+=%~-][a-zA-Z0-9@._+=%~-]{0,199}$/);
        if (one !== other) expect(mailboxName(other)).not.toBe(name);
      }),
      { numRuns: 1_000 },
    );
  });

  it("with the most hostile names stay under the root", async () => {
    const to = [
      "../../out@example.com",
      "..",
      "/etc@example.com",
      `${"x".repeat(3_000)}@example.com`,
      "a\0b@example.com",
    ];
    const outcome = await deliver({ to });
    expect(outcome.replies).toMatchObject([{ code: 250 }]);
    expect(await readdir(root)).toHaveLength(to.length);
    expect(await readdir(join(root, ".."))).toEqual(["mail"]);
  });
});

describe("a directory that cannot be used", () => {
  it("is Unavailable, and the error names no recipient", async () => {
    await writeFile(root, "a file where the directory should be");
    const error = await deliver({}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "Unavailable", dependency: "disk" });
    expect((error as Error).message).not.toContain("example.com");
    await expect(maildirNextHop(root, options).ping()).rejects.toMatchObject({ name: "Unavailable" });
  });

  it("is made when it is only missing", async () => {
    await maildirNextHop(root, options).ping();
    expect((await stat(root)).isDirectory()).toBe(true);
  });
});
