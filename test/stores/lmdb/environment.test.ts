import { describe, expect, it } from "vitest";
import { Unavailable } from "../../../src/kit/trouble.ts";
import { Environment } from "../../../src/stores/lmdb/environment.ts";
import type { Handle } from "../../../src/stores/lmdb/open.ts";
import { until } from "../../helpers/wait.ts";

const SPURIOUS = Object.assign(new Error("MDB_NOTFOUND: No matching key/data pair found"), { code: -30798 });
const DISK_FULL = Object.assign(new Error("No space left on device"), { code: 28 });

/** Fails the way lmdb-js does: the reason comes in a second promise. */
function commitFailed(reason: Error): Error {
  const commitError = Promise.reject(reason);
  return Object.assign(new Error("Commit failed (see commitError for details)"), { commitError });
}

/** An environment whose commits end as told, one after the other, and well after that. */
function scripted(...ends: readonly (Error | "hangs" | undefined)[]) {
  const left = [...ends];
  const told: string[] = [];
  const seen = { opened: 0, closed: 0, commits: 0 };
  const open = (): Handle<"rows"> => {
    seen.opened += 1;
    const root = {
      async transaction(work: () => void) {
        await new Promise((resolve) => setImmediate(resolve));
        const end = left.shift();
        seen.commits += 1;
        work();
        if (end === "hangs") await new Promise(() => undefined);
        if (end instanceof Error) throw commitFailed(end);
      },
    };
    const close = async () => {
      seen.closed += 1;
    };
    return { root, dbs: { rows: {} }, close } as unknown as Handle<"rows">;
  };
  const place = { dir: "scripted", names: ["rows"], dependency: "ledger", timeoutMs: 200 } as const;
  const around = { begin: () => void told.push("begin"), end: () => void told.push("end") };
  return { environment: new Environment<"rows">({ ...place, around }, open), seen, told };
}

describe("what is done once for all writes of a transaction", () => {
  it("is done around them, also in one that is lost, and in its repetition", async () => {
    const { environment, told } = scripted(undefined, SPURIOUS);
    const write = (name: string) => environment.write(() => void told.push(name));
    await Promise.all([write("a"), write("b")]);
    await write("c");
    expect(told.join(" ")).toBe("begin a b end begin c end begin c end");
  });

  it("has a beginning and no end where a fault of LMDB's own broke the transaction off", async () => {
    const { environment, told } = scripted();
    const broken = environment.write(() => {
      throw SPURIOUS;
    });
    await expect(broken).rejects.toThrow(Unavailable);
    expect(told).toEqual(["begin"]);
  });
});

describe("an environment whose commit fails", () => {
  it("repeats once, freshly opened, what LMDB lost by a fault of its own", async () => {
    const { environment, seen } = scripted(SPURIOUS);
    let runs = 0;
    const writes = ["a", "b"].map((name) =>
      environment.write(() => {
        runs += 1;
        return name;
      }),
    );
    expect(await Promise.all(writes)).toEqual(["a", "b"]);
    expect(runs).toBe(4);
    expect(seen).toEqual({ opened: 2, closed: 1, commits: 2 });
  });

  it("is unavailable when the fault comes again", async () => {
    const { environment, seen } = scripted(SPURIOUS, SPURIOUS);
    await expect(environment.write(() => 1)).rejects.toBeInstanceOf(Unavailable);
    expect(seen.commits).toBe(2);
  });

  it("repeats nothing when the disk failed, tells everybody who waits, and for a while those who come", async () => {
    const { environment, seen } = scripted(DISK_FULL);
    const writes = [1, 2, 3].map((n) => environment.write(() => n));
    for (const write of writes) {
      await expect(write).rejects.toMatchObject({ dependency: "ledger", message: expect.stringMatching(/no space/) });
    }
    await expect(environment.write(() => 4)).rejects.toThrow(/no space/);
    expect(seen.commits).toBe(1);
    expect(await until("it tries again", () => environment.write(() => 5))).toBe(5);
    expect(seen).toEqual({ opened: 2, closed: 1, commits: 2 });
  });

  it("fails only the write that throws, and commits the others of its transaction", async () => {
    const { environment } = scripted();
    const bug = environment.write(() => {
      throw new TypeError("a bug");
    });
    const fine = environment.write(() => "fine");
    await expect(bug).rejects.toBeInstanceOf(TypeError);
    expect(await fine).toBe("fine");
  });

  it("does not wait for a commit that hangs, and runs nothing that was given up while it waited", async () => {
    const { environment, seen } = scripted("hangs");
    let ran = 0;
    const count = () => {
      ran += 1;
    };
    const first = environment.write(count);
    await until("the commit began", () => seen.commits === 1);
    const second = environment.write(count);
    await expect(first).rejects.toThrow(/not written within 200 ms/);
    await expect(second).rejects.toThrow(/not written within 200 ms/);
    await expect(environment.write(count)).rejects.toThrow(/holds up all writes/);
    expect(ran).toBe(1);
    await environment.close();
  });

  it("takes only so many writes at once", async () => {
    const { environment } = scripted("hangs");
    const writes = Array.from({ length: 20_002 }, () => environment.write(() => 1).catch((error: unknown) => error));
    // Where making them takes longer than the bound, the later ones hear that the disk holds up all writes instead.
    const reasons = (await Promise.all(writes)).map(String);
    expect(reasons.at(-1)).toMatch(/20000 writes are waiting|holds up all writes/);
    expect(reasons.filter((reason) => reason.includes("not written within")).length).toBeLessThanOrEqual(20_000);
  });
});

describe("writes that nobody waits for", () => {
  it("wait for company, and share one commit", async () => {
    const { environment, seen } = scripted();
    const writes = ["a", "b", "c"].map((name) => environment.write(() => name, 1, "soon"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.commits).toBe(0);
    expect(await Promise.all(writes)).toEqual(["a", "b", "c"]);
    expect(seen.commits).toBe(1);
  });

  it("go along with the first that somebody waits for", async () => {
    const { environment, seen } = scripted();
    const soon = environment.write(() => "soon", 1, "soon");
    expect(await environment.write(() => "now")).toBe("now");
    expect(await soon).toBe("soon");
    expect(seen.commits).toBe(1);
  });

  it("do not wait when they are many", async () => {
    const { environment, seen } = scripted();
    const writes = Array.from({ length: 300 }, (_, i) => environment.write(() => i, 1, "soon"));
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(seen.commits).toBe(1);
    await Promise.all(writes);
  });

  it("are written when it is closed", async () => {
    const { environment, seen } = scripted();
    const write = environment.write(() => "last", 1, "soon");
    await environment.close();
    expect([await write, seen.commits]).toEqual(["last", 1]);
  });

  it("fail with the commit they are in", async () => {
    const { environment } = scripted(DISK_FULL);
    const writes = [environment.write(() => 1, 1, "soon"), environment.write(() => 2)];
    for (const write of writes) await expect(write).rejects.toBeInstanceOf(Unavailable);
  });
});
