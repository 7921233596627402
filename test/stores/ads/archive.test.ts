import { randomBytes } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Parcel } from "../../../src/delivery/next-hop.ts";
import { Unavailable } from "../../../src/kit/trouble.ts";
import { type Copy, openAdCopies } from "../../../src/stores/ads/archive.ts";
import { handClock } from "../../helpers/hand-clock.ts";
import { tempDir } from "../../helpers/temp.ts";

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 22, 23, 59);

function parcelOf(text: string, whole = true): Parcel {
  const [front, rest] = [Buffer.from("Received: x\r\n"), Buffer.from(text)];
  const read = async function* () {
    yield rest.subarray(0, 3);
    yield rest.subarray(3);
  };
  return {
    front,
    bytes: front.length + rest.length,
    read,
    changes: { fields: [], additions: [] },
    ...(whole && { whole: rest }),
  };
}

function site(key = randomBytes(32)) {
  const directory = join(tempDir(), "ads");
  const clock = handClock(START_MS);
  return {
    directory,
    clock,
    copies: openAdCopies({ directory, key, clock }),
    other: openAdCopies({ directory, key: randomBytes(32), clock }),
  };
}

async function listed(copies: AsyncIterable<Copy>): Promise<string[]> {
  const found: string[] = [];
  for await (const { day, mailId } of copies) found.push(`${day} ${mailId}`);
  return found;
}

describe("copies of advertisements", () => {
  it.each([true, false])("come back as they were sent, from memory: %s", async (whole) => {
    const { copies, directory } = site();
    await copies.write("MAIL1", parcelOf("Subject: sale\r\n\r\nbuy now\r\n", whole));
    const found = await copies.read("MAIL1");
    expect(found?.mail.toString()).toBe("Received: x\r\nSubject: sale\r\n\r\nbuy now\r\n");
    expect(found?.day).toBe("2026-11-22");
    const path = join(directory, "2026-11-22", "MAIL1.ad");
    expect(readFileSync(path).includes("buy now")).toBe(false);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await copies.read("MAIL2")).toBeUndefined();
    expect(await copies.read("../../secret")).toBeUndefined();
  });

  it("are told from changed ones, others' and such of another key", async () => {
    const { copies, directory, other } = site();
    await copies.write("MAIL1", parcelOf("hello"));
    await expect(other.read("MAIL1")).rejects.toThrow(Unavailable);
    const path = join(directory, "2026-11-22", "MAIL1.ad");
    renameSync(path, join(directory, "2026-11-22", "MAIL2.ad"));
    await expect(copies.read("MAIL2")).rejects.toThrow("was changed");
    renameSync(join(directory, "2026-11-22", "MAIL2.ad"), path);
    const bytes = readFileSync(path);
    bytes[30] = (bytes[30] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    await expect(copies.read("MAIL1")).rejects.toThrow("was changed");
  });

  it("are listed by day, and forgotten when the mail did not go on, after midnight too", async () => {
    const { copies, clock } = site();
    await copies.write("A", parcelOf("a"));
    await copies.write("B", parcelOf("b"));
    await clock.pass(DAY_MS);
    await copies.write("C", parcelOf("c"));
    expect(await listed(copies.list())).toEqual(["2026-11-22 A", "2026-11-22 B", "2026-11-23 C"]);
    expect(await listed(copies.list("2026-11-23", "2026-11-23"))).toEqual(["2026-11-23 C"]);
    await copies.forget("B");
    await copies.forget("C");
    await copies.forget("nobody");
    expect(await listed(copies.list())).toEqual(["2026-11-22 A"]);
  });

  it("go by whole days, never early", async () => {
    const { copies, clock, directory } = site();
    await copies.write("A", parcelOf("a"));
    await clock.pass(60 * DAY_MS);
    expect(await copies.sweep(60)).toEqual([]);
    await clock.pass(60_000);
    expect(await copies.sweep(60)).toEqual([{ day: "2026-11-22", copies: 1 }]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)("are said to be missing when the disk does not take them", async () => {
    const { copies, directory } = site();
    await copies.write("A", parcelOf("a"));
    chmodSync(join(directory, "2026-11-22"), 0o500);
    await expect(copies.write("B", parcelOf("b"))).rejects.toThrow(Unavailable);
  });
});
