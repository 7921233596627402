import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Lease } from "../../../src/delivery/queue/spool.ts";
import { Misuse, Unavailable } from "../../../src/kit/trouble.ts";
import { openSpoolDesk } from "../../../src/stores/spool/desk.ts";
import { adoptSpool, openEnvironment } from "../../../src/stores/spool/open.ts";
import { checkFileSystem } from "../../../src/stores/spool/place.ts";
import { NAMES } from "../../../src/stores/spool/rows.ts";
import { newMail, parcel, START_MS, settleAll, testSpool } from "../../helpers/spool.ts";
import { tempDir } from "../../helpers/temp.ts";

const MINUTE_MS = 60_000;
const ids = (leases: readonly Lease[]): string[] => leases.map(({ mail }) => mail.id);

/** How many rows each database has. */
async function rowsIn(dir: string): Promise<Record<string, number>> {
  const environment = openEnvironment(dir, 5_000);
  const counts = await environment.read((dbs) =>
    Object.fromEntries(NAMES.map((name) => [name, dbs[name].getKeysCount()] as const)),
  );
  await environment.close();
  return counts;
}

async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}

describe("a mail's way through the spool", () => {
  it("is not tried while it arrives, and is when it has come", async () => {
    const spool = await testSpool();
    const mail = newMail("m1", START_MS);
    await spool.arrive(mail, parcel(Buffer.from("Subject: x\r\n\r\n")));
    expect(await spool.due()).toEqual([]);
    await spool.confirm(mail);
    expect(ids(await spool.due())).toEqual(["m1"]);
  });

  it("keeps every byte, our header lines in front", async () => {
    const spool = await testSpool();
    const mail = await spool.put("m1", { content: Buffer.from("Subject: ä\r\n\r\n.\r\n") });
    expect(await textOf((await spool.content(mail)).read())).toBe("Received: here\r\nSubject: ä\r\n\r\n.\r\n");
  });

  it.each([0, 1, 4_096, 65_536, 70_000, 1_048_560, 1_500_000])(
    "keeps a content of %d bytes bit for bit, and no other's bytes with it",
    async (bytes) => {
      const spool = await testSpool({ inlineBytesMax: 2_000_000 });
      const contents = ["a", "b", "c"].map((letter) => Buffer.alloc(bytes, letter));
      // In one commit: each is on its way while the others are.
      const mails = await Promise.all(contents.map((content, at) => spool.put(`m${at}`, { content })));
      for (const [at, mail] of mails.entries()) {
        expect(await textOf((await spool.content(mail)).read())).toBe(`Received: here\r\n${contents[at]}`);
      }
    },
  );

  it("belongs to who took it, until he has settled it", async () => {
    const spool = await testSpool();
    await spool.put("m1");
    const [lease] = await spool.due();
    expect(await spool.due()).toEqual([]);
    await spool.settle(settleAll(lease as Lease, { state: "waiting", nextAt: START_MS + MINUTE_MS }));
    expect(await spool.due()).toEqual([]);
    spool.clock.nowMs += MINUTE_MS;
    expect(ids(await spool.due())).toEqual(["m1"]);
  });

  it("leaves nothing behind when it is delivered", async () => {
    const spool = await testSpool();
    await spool.put("m1", { to: ["b@one.example", "c@two.example"] });
    for (const lease of await spool.due()) await spool.settle(settleAll(lease, { state: "delivered" }));
    const { meta: _, owners: _owners, ...rows } = await rowsIn(spool.dir);
    expect(Object.entries(rows).filter(([, count]) => count > 0)).toEqual([]);
  });

  it("is tried for each destination apart, and stays until the last is settled", async () => {
    const spool = await testSpool();
    await spool.put("m1", { to: ["b@one.example", "c@two.example", "d@one.example"] });
    const leases = await spool.due();
    expect(leases.map(({ turn, due }) => [turn, due])).toEqual([
      ["one.example", [0, 2]],
      ["two.example", [1]],
    ]);
    await spool.settle(settleAll(leases[0] as Lease, { state: "delivered" }));
    const desk = openSpoolDesk(spool.dir, 5_000);
    expect((await desk.find("m1"))?.mail.recipients.map(({ state }) => state)).toEqual([
      "delivered",
      "waiting",
      "delivered",
    ]);
    await spool.settle(settleAll(leases[1] as Lease, { state: "delivered" }));
    expect(await desk.find("m1")).toBeUndefined();
    await desk.close();
  });

  it("is kept while its sender has not been told of a failure", async () => {
    const spool = await testSpool();
    await spool.put("m1");
    const [lease] = await spool.due();
    await spool.settle({ ...settleAll(lease as Lease, { state: "failed", isTold: false }), lateAt: START_MS + 1_000 });
    spool.clock.nowMs += 1_000;
    const [late] = await spool.takeLate({ nowMs: spool.clock.nowMs, max: 10 });
    expect(late?.untold).toEqual([0]);
    expect(late?.due).toEqual([]);
  });

  it("has its report put in with the step that settles it", async () => {
    const spool = await testSpool();
    await spool.put("m1");
    const [lease] = await spool.due();
    const mail = { ...newMail("r1", START_MS, { to: ["a@shop.example"] }), isReport: true as const };
    const own = {
      recipient: mail.recipients[0]?.recipient as never,
      text: Buffer.from("Subject: no\r\n\r\n"),
      eightBit: false,
      smtpUtf8: false,
    };
    await spool.settle({ ...settleAll(lease as Lease, { state: "failed" }), reports: [{ mail, own }] });
    expect(ids(await spool.due())).toEqual(["r1"]);
    expect(await textOf((await spool.content(mail)).read())).toBe("Subject: no\r\n\r\n");
  });

  it("is looked at when its life is over, though it is not due", async () => {
    const spool = await testSpool();
    await spool.put("m1", { nextAt: START_MS + 10 * 24 * 60 * MINUTE_MS });
    expect(await spool.takeLate({ nowMs: START_MS, max: 10 })).toEqual([]);
    expect(ids(await spool.takeLate({ nowMs: START_MS + 24 * 60 * MINUTE_MS, max: 10 }))).toEqual(["m1"]);
  });

  it("lies in a file when it is large, which goes with it", async () => {
    const spool = await testSpool({ inlineBytesMax: 1_000 });
    const files = () => readdirSync(join(spool.dir, "contents"));
    const mail = await spool.put("m1", { content: Buffer.alloc(200_000, 97) });
    expect(files()).toEqual(["m1"]);
    expect((await textOf((await spool.content(mail)).read())).length).toBe(200_016);
    const [lease] = await spool.due();
    await spool.settle(settleAll(lease as Lease, { state: "delivered" }));
    expect(files()).toEqual([]);
  });
});

describe("destinations", () => {
  it("get their share each, however many mails one has", async () => {
    const spool = await testSpool();
    for (let i = 0; i < 50; i += 1) await spool.put(`m${i}`);
    await spool.put("x1", { to: ["b@two.example"] });
    await spool.put("x2", { to: ["b@three.example"] });
    expect(
      ids(await spool.due({ max: 9 }))
        .filter((id) => id.startsWith("x"))
        .sort(),
    ).toEqual(["x1", "x2"]);
  });

  it("get no more than there is room for", async () => {
    const spool = await testSpool();
    for (let i = 0; i < 10; i += 1) await spool.put(`m${i}`);
    expect((await spool.due({ room: () => 3 })).length).toBe(3);
    expect((await spool.due({ room: () => 0 })).length).toBe(0);
    expect((await spool.due({})).length).toBe(7);
  });

  it("that do not answer are left alone, then tried with one mail, and taken up when that one arrives", async () => {
    const spool = await testSpool();
    for (let i = 0; i < 10; i += 1) await spool.put(`m${i}`);
    await spool.put("x1", { to: ["b@two.example"] });
    await spool.setBackoff("one.example", { failures: 1, untilMs: START_MS + MINUTE_MS });
    expect(ids(await spool.due())).toEqual(["x1"]);
    await spool.put("m10");
    expect(await spool.due()).toEqual([]);
    spool.clock.nowMs += MINUTE_MS;
    expect((await spool.due()).length).toBe(1);
    expect((await spool.due()).length).toBe(0);
    await spool.setBackoff("one.example", { failures: 0, untilMs: 0 });
    expect((await spool.due()).length).toBe(10);
  });

  it("are not remembered when there is nothing to remember", async () => {
    const spool = await testSpool();
    for (let i = 0; i < 20; i += 1) await spool.put(`m${i}`, { to: [`b@d${i}.example`] });
    for (const lease of await spool.due()) await spool.settle(settleAll(lease, { state: "delivered" }));
    expect((await rowsIn(spool.dir)).destinations).toBe(0);
  });
});

describe("what operators do", () => {
  const hold = { reason: "operator", by: "li", since: START_MS, until: START_MS + 7 * 24 * 60 * MINUTE_MS };

  it("a held mail is not tried, and released goes with the envelope it had", async () => {
    const spool = await testSpool();
    const mail = await spool.put("m1", { hold, to: ["b@one.example", "c@two.example"] });
    expect(await spool.due()).toEqual([]);
    const desk = openSpoolDesk(spool.dir, 5_000);
    expect((await desk.find("m1"))?.state).toBe("held");
    expect((await desk.release("m1", START_MS))?.hold).toEqual(hold);
    const leases = await spool.due();
    expect(leases.flatMap(({ mail: { recipients } }) => recipients.map(({ recipient }) => recipient))).toEqual(
      [...mail.recipients, ...mail.recipients].map(({ recipient }) => recipient),
    );
    expect(leases[0]?.mail.sender).toEqual(mail.sender);
    expect(await desk.release("m1", START_MS)).toBeUndefined();
    await desk.close();
  });

  it("a mail that is held while it is being tried is not tried again", async () => {
    const spool = await testSpool();
    await spool.put("m1");
    const [lease] = await spool.due();
    const desk = openSpoolDesk(spool.dir, 5_000);
    expect((await desk.hold("m1", hold))?.id).toBe("m1");
    await spool.settle(settleAll(lease as Lease, { state: "waiting" }));
    expect(await spool.due()).toEqual([]);
    expect((await desk.find("m1"))?.state).toBe("held");
    await desk.close();
  });

  it("a mail that is dropped while it is being tried is gone when that is over", async () => {
    const spool = await testSpool();
    await spool.put("m1");
    const [lease] = await spool.due();
    const desk = openSpoolDesk(spool.dir, 5_000);
    expect((await desk.drop("m1"))?.id).toBe("m1");
    await spool.settle(settleAll(lease as Lease, { state: "waiting" }));
    expect(await desk.find("m1")).toBeUndefined();
    await desk.close();
  });

  it("retry overrules the mail's schedule and the destination's", async () => {
    const spool = await testSpool();
    await spool.put("m1", { nextAt: START_MS + 60 * MINUTE_MS });
    await spool.setBackoff("one.example", { failures: 3, untilMs: START_MS + 60 * MINUTE_MS });
    const desk = openSpoolDesk(spool.dir, 5_000);
    expect(await desk.retry("m1")).toBe(true);
    expect(ids(await spool.due())).toEqual(["m1"]);
    expect(await desk.retry("none")).toBe(false);
    await desk.close();
  });

  it.each([
    ["a destination", { destination: "one.example" }],
    ["a client", { client: "shop" }],
  ])("%s that is suspended waits, others go on, and resumed goes on, too", async (_, whom) => {
    const spool = await testSpool();
    await spool.put("m1", { client: "shop" });
    await spool.put("x1", { client: "other", to: ["b@two.example"] });
    const desk = openSpoolDesk(spool.dir, 5_000);
    expect(await desk.suspend(whom, { by: "li", since: START_MS })).toBe(true);
    expect(await desk.suspend(whom, { by: "li", since: START_MS })).toBe(false);
    await spool.put("m2", { client: "shop" });
    expect(ids(await spool.due())).toEqual(["x1"]);
    expect(await desk.resume(whom)).toBe(true);
    expect(ids(await spool.due()).sort()).toEqual(["m1", "m2"]);
    await desk.close();
  });

  it("lists what matches, in the order of arrival", async () => {
    const spool = await testSpool();
    await spool.put("m1", { client: "shop" });
    await spool.put("m2", { to: ["c@two.example"] });
    await spool.put("m3", { hold });
    const desk = openSpoolDesk(spool.dir, 5_000);
    const found = async (filter: Parameters<typeof desk.list>[0]): Promise<string[]> => {
      const all: string[] = [];
      for await (const { mail, state } of desk.list(filter)) all.push(`${mail.id} ${state}`);
      return all;
    };
    expect(await found({})).toEqual(["m1 queued", "m2 queued", "m3 held"]);
    expect(await found({ state: "held" })).toEqual(["m3 held"]);
    expect(await found({ client: "shop" })).toEqual(["m1 queued"]);
    expect(await found({ destination: "two.example" })).toEqual(["m2 queued"]);
    expect(await found({ recipient: "c@" })).toEqual(["m2 queued"]);
    expect(await found({ limit: 1 })).toEqual(["m1 queued"]);
    const states = [];
    for await (const { destination, mails } of desk.destinations()) states.push([destination, mails]);
    expect(states).toEqual([
      ["one.example", 1],
      ["two.example", 1],
    ]);
    await desk.close();
  });
});

/** A process that is not there: rows of an owner whose pid nobody has. */
async function leaveBehind(dir: string, nowMs: number): Promise<void> {
  const environment = openEnvironment(dir, 5_000);
  await environment.write((dbs) => {
    const mine = [...dbs.owners.getRange()].map(({ value }) => JSON.parse(value))[0];
    void dbs.owners.put(
      Buffer.from("dead"),
      JSON.stringify({ ...mine, pid: 2 ** 22 + 1, started: "1", heardAt: nowMs }),
    );
    for (const key of [...dbs.leases.getKeys()]) void dbs.leases.put(Buffer.from(key), "dead");
    for (const key of [...dbs.arriving.getKeys()]) void dbs.arriving.put(Buffer.from(key), "dead");
  });
  await environment.close();
}

describe("what a process that died leaves", () => {
  it("its leases end, and the mails are due again", async () => {
    const spool = await testSpool();
    await spool.put("m1");
    await spool.due();
    expect(await spool.recover()).toMatchObject({ leases: 0 });
    await leaveBehind(spool.dir, START_MS);
    expect(await spool.recover()).toMatchObject({ leases: 1 });
    expect(ids(await spool.due())).toEqual(["m1"]);
  });

  it("a mail that was arriving is queued when its entry is there, and forgotten when not", async () => {
    const spool = await testSpool({ wereEntered: async () => new Set(["m1"]), inlineBytesMax: 10 });
    for (const id of ["m1", "m2"]) await spool.arrive(newMail(id, START_MS), parcel(Buffer.from("Subject: x\r\n\r\n")));
    await leaveBehind(spool.dir, START_MS);
    expect(await spool.recover()).toEqual({ leases: 0, arrived: 1, forgotten: 1 });
    expect(ids(await spool.due())).toEqual(["m1"]);
    expect(readdirSync(join(spool.dir, "contents"))).toEqual(["m1"]);
  });

  it("a file that no mail names is swept at the next start", async () => {
    const dir = tempDir();
    mkdirSync(join(dir, "contents"));
    writeFileSync(join(dir, "contents", "m1"), "half a mail");
    await testSpool({ dir });
    expect(readdirSync(join(dir, "contents"))).toEqual([]);
  });

  it("an owner that lives but is silent for a minute has lost its leases", async () => {
    const spool = await testSpool();
    await spool.put("m1");
    await spool.due();
    spool.clock.nowMs += 61_000;
    expect(await spool.recover()).toMatchObject({ leases: 1 });
  });
});

describe("where a spool may lie, and who may open it", () => {
  it("two processes of a service share it, and no mail is leased twice", async () => {
    const spool = await testSpool();
    const helper = await testSpool({ dir: spool.dir, role: "helper" });
    for (let i = 0; i < 100; i += 1) await spool.put(`m${i}`);
    const taken = await Promise.all([spool.due({ max: 60 }), helper.due({ max: 60 }), spool.due(), helper.due()]);
    expect(ids(taken.flat()).length).toBe(100);
    expect(new Set(ids(taken.flat())).size).toBe(100);
  });

  it("a second service is told who has it", async () => {
    const spool = await testSpool();
    await expect(testSpool({ dir: spool.dir })).rejects.toThrow(
      `the spool ${spool.dir} is in use by another consentry (process ${process.pid})`,
    );
    await spool.close();
    await testSpool({ dir: spool.dir });
  });

  it("is refused to the workers of another supervisor, while theirs is there", async () => {
    const [ours, gone] = [spawn("sleep", ["60"]), spawn("sleep", ["60"])];
    onTestFinished(() => void ours.kill("SIGKILL"));
    const dead = new Promise((resolve) => gone.once("exit", resolve));
    const first = await testSpool({ service: "one", keeper: ours.pid });
    const second = { dir: first.dir, clock: first.clock, service: "two", keeper: process.pid };
    await expect(testSpool(second)).rejects.toThrow(/is in use by another consentry \(process \d+\)/);
    await first.close();
    const orphan = await testSpool({ dir: first.dir, clock: first.clock, service: "one", keeper: gone.pid });
    gone.kill("SIGKILL");
    await dead;
    await orphan.put("m1");
    writeFileSync(join(first.dir, "contents", "half"), "what an orphan is just writing");
    expect(ids(await (await testSpool(second)).due()), "beside workers whose supervisor is gone").toEqual(["m1"]);
    expect(readdirSync(join(first.dir, "contents"))).toEqual(["half"]);
  });

  it("workers of one service share it, and the second sweeps nothing away that the first is writing", async () => {
    const spool = await testSpool({ service: "workers of 1" });
    writeFileSync(join(spool.dir, "contents", "m1"), "half a mail");
    const other = await testSpool({ dir: spool.dir, service: "workers of 1" });
    expect(readdirSync(join(spool.dir, "contents"))).toEqual(["m1"]);
    await spool.close();
    await expect(testSpool({ dir: spool.dir, service: "workers of 2" })).rejects.toThrow("is in use");
    await other.close();
  });

  it("a copy is not delivered again unless somebody says so", async () => {
    const spool = await testSpool();
    await spool.put("m1");
    await spool.close();
    const copy = join(tempDir(), "copy");
    cpSync(spool.dir, copy, { recursive: true });
    await expect(testSpool({ dir: copy })).rejects.toThrow(/is a copy, or was restored from one[\s\S]*queue adopt/);
    await adoptSpool(copy, 5_000, { nowMs: START_MS, steadyMs: START_MS });
    const adopted = await testSpool({ dir: copy });
    expect(ids(await adopted.due())).toEqual(["m1"]);
  });

  it.each([
    ["NFS", 0x6969],
    ["SMB", 0xfe534d42],
  ])("not on %s", (name, type) => {
    expect(() => checkFileSystem(tempDir(), () => type)).toThrow(new RegExp(`lies on ${name}`));
    expect(() => checkFileSystem(tempDir(), () => type)).toThrow(Misuse);
  });

  it("takes nothing in when the disk is down to its reserve, or the queue is full", async () => {
    const full = await testSpool({ reserveBytes: 2 ** 60 });
    expect(full.full()).toMatch(/MB free/);
    await expect(full.put("m1")).rejects.toThrow(Unavailable);
    expect(existsSync(join(full.dir, "contents", "m1"))).toBe(false);
    const none = await testSpool({ mailsMax: 0 });
    expect(none.full()).toBe("0 mails are in the queue");
  });
});
