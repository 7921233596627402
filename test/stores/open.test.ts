import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Misuse, Unavailable } from "../../src/kit/trouble.ts";
import { openStore } from "../../src/stores/open.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { freePort } from "../helpers/process.ts";
import { tempDir } from "../helpers/temp.ts";

const clock = handClock();

describe("store.url", () => {
  it("opens the embedded store under dataDir", async () => {
    const dataDir = tempDir();
    const store = await openStore("embedded:", { dataDir, timeoutMs: 1_000, clock });
    await store.ping();
    expect(existsSync(join(dataDir, "store", "data.mdb"))).toBe(true);
    await store.close();
  });

  it("opens the embedded store where the URL says", async () => {
    const elsewhere = tempDir();
    const store = await openStore(`embedded:${elsewhere}`, { dataDir: "/nowhere", timeoutMs: 1_000, clock });
    expect(existsSync(join(elsewhere, "store", "data.mdb"))).toBe(true);
    await store.close();
  });

  it("opens the memory store, counting by the clock given", async () => {
    const store = await openStore("memory:", { dataDir: "", timeoutMs: 1_000, clock });
    const key = { partition: "p", id: "id" };
    expect((await store.windows.take(key, { max: 1, windowMs: 1_000 })).freesAtMs).toBe(clock.now() + 1_000);
    await store.close();
  });

  it("opens a Redis store though nobody is there, tells so, and is unavailable", async () => {
    const states: unknown[] = [];
    const store = await openStore(`redis://:geheim@127.0.0.1:${await freePort()}`, {
      dataDir: "",
      timeoutMs: 300,
      clock,
      onState: (up, why) => states.push([up, why]),
    });
    expect(states).toEqual([[false, expect.stringContaining("ECONNREFUSED")]]);
    const error: unknown = await store.ping().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Unavailable);
    expect(String(error)).not.toContain("geheim");
    await store.close();
  });

  it.each([
    ["", ""],
    ["embedded", "embedded"],
    ["postgres://user:geheim@db.example/x", "postgres:"],
    ["http://127.0.0.1", "http:"],
    ["memory:1", "memory:"],
  ])('refuses "%s", names the accepted forms and repeats no more than the scheme', async (url, shown) => {
    const error: unknown = await openStore(url, { dataDir: "", timeoutMs: 300, clock }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Misuse);
    const { message } = error as Misuse;
    expect(message).toContain(`"${shown}"`);
    for (const form of ["embedded:", "memory:", "redis://", "rediss://", "redis+sentinel://", "redis+cluster://"]) {
      expect(message).toContain(form);
    }
    expect(message).not.toContain("geheim");
  });
});
