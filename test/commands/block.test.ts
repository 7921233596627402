import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import { createBlockRegister } from "../../src/signals/blocks.ts";
import { openStore } from "../../src/stores/open.ts";
import { type Cli, createCli } from "../helpers/cli.ts";
import { clientOf, sessionOf } from "../helpers/described.ts";

/** The real command line, one process after the other on one data directory. */
let cli: Cli;
beforeAll(() => {
  cli = createCli();
});

/** What a server on the same store would know of a session. */
async function standing(ip: string, client?: string): Promise<string> {
  const store = await openStore("embedded:", { dataDir: join(cli.dir, "data"), timeoutMs: 2_000, clock: systemClock });
  try {
    const session = sessionOf({ ip, ...(client !== undefined && { client: clientOf({ id: client }) }) });
    return (await createBlockRegister(store.tables, systemClock).of(session)).block?.subject ?? "free";
  } finally {
    await store.close();
  }
}

describe("consentry block", { timeout: 40_000 }, () => {
  it("blocks a network until a time, for a reason, in the name of whoever does it", async () => {
    const words = ["block", "add", "203.0.113.77/24", "--for", "2h", "--note", "report 118", "--actor", "ann"];
    const added = await cli.run(words);
    expect(added).toMatchObject({ code: 0, stderr: "" });
    expect(added.stdout).toMatch(/^203\.0\.113\.0\/24: blocked until \d{4}-.*Z\n$/);
    expect(await standing("203.0.113.1")).toBe("203.0.113.0/24");
    expect(await standing("203.0.114.1")).toBe("free");
    const [block] = (await cli.json(["block", "list"])) as Record<string, string>[];
    expect(block).toMatchObject({
      subject: "203.0.113.0/24",
      action: "refuse",
      reason: "operator",
      article: "Order 38 (CN 2006) art. 7",
      by: "ann",
      note: "report 118",
    });
    expect(Date.parse(block?.until ?? "") - Date.parse(block?.from ?? "")).toBe(7_200_000);
  });

  it.each([
    ["203.0.113.9", "203.0.113.9/32", "203.0.113.9"],
    ["2001:DB8::1", "2001:db8::1/128", "2001:db8::1"],
    ["2001:db8:7::/48", "2001:db8:7::/48", "2001:db8:7:99::5"],
    ["10.0.0.0/8", "10.0.0.0/8", "10.200.3.4"],
  ])("knows %s as %s", async (given, subject, ip) => {
    expect((await cli.run(["block", "add", given])).stdout).toContain(`${subject}: blocked`);
    expect(await standing(ip)).toBe(subject);
    expect((await cli.run(["block", "remove", given])).stdout).toBe(`${subject}: no longer blocked\n`);
    expect(await standing(ip)).not.toBe(subject);
  });

  it("holds a client's mail until it is let off", async () => {
    await cli.run(["client", "add", "shop", "--kind", "advertiser", "--network", "198.51.100.0/24"]);
    const until = "2099-01-01T00:00Z";
    const added = await cli.run(["block", "add", "client:SHOP", "--action", "hold", "--until", until]);
    expect(added).toEqual({ code: 0, stdout: "client:shop: blocked until 2099-01-01T00:00:00.000Z\n", stderr: "" });
    expect(await standing("198.51.100.7", "shop")).toBe("client:shop");
    expect((await cli.run(["block", "remove", "client:shop"])).code).toBe(0);
    expect(await standing("198.51.100.7", "shop")).toBe("free");
  });

  it("holds for clients within a network that somebody blocked by hand", async () => {
    await cli.run(["block", "add", "198.51.100.0/24"]);
    expect(await standing("198.51.100.7", "shop")).toBe("198.51.100.0/24");
    await cli.run(["block", "remove", "198.51.100.0/24"]);
    expect(await standing("198.51.100.7", "shop")).toBe("free");
  });

  it("shows times, reason and article, for people too", async () => {
    const { stdout } = await cli.run(["block", "list"]);
    expect(stdout).toMatch(/^SUBJECT +ACTION +REASON +FROM +UNTIL +BY +ARTICLE +NOTE\n/);
    expect(stdout).toMatch(/203\.0\.113\.0\/24 +refuse +operator .* ann +Order 38 \(CN 2006\) art\. 7 +report 118/);
  });

  it("says no where nobody is blocked", async () => {
    const ran = await cli.run(["block", "remove", "192.0.2.1"]);
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toContain("192.0.2.1/32 is not blocked");
  });

  it.each([
    [["everybody"], "expected an address, a CIDR range or client:ID"],
    [["10.0.0.0/7"], "from /8 to /32"],
    [["2001:db8::/33"], "/16, /20, /24"],
    [["192.0.2.1", "--for", "soon"], '--for "soon"'],
    [["192.0.2.1", "--for", "0s"], '--for "0s"'],
    [["192.0.2.1", "--until", "2020-01-01"], "is over"],
    [["192.0.2.1", "--until", "then"], '--until "then"'],
    [["192.0.2.1", "--for", "1d", "--until", "2099-01-01"], "two ways"],
    [["192.0.2.1", "--article", "第七条"], "--article"],
  ])("cannot use %j", async (words, complaint) => {
    const ran = await cli.run(["block", "add", ...words]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(complaint);
  });

  it("is written down", async () => {
    const { stdout } = await cli.run(["ledger", "find", "--json"]);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.find(({ event }) => event === "block-added")).toMatchObject({
      actor: "ann",
      articles: ["Order 38 (CN 2006) art. 7"],
      evidence: { subject: "203.0.113.0/24", reason: "operator", note: "report 118" },
    });
    expect(events.filter(({ event }) => event === "block-removed")).toHaveLength(6);
  });
});

describe("consentry client limits", { timeout: 40_000 }, () => {
  it("sets what is given, shows what is used, clears what is named", async () => {
    await cli.run(["client", "add", "office", "--kind", "isp-customer", "--network", "192.0.2.0/24"]);
    expect((await cli.run(["client", "limits", "office"])).stdout).toBe("office: no limit\n");
    const set = await cli.run(["client", "limits", "office", "--rate", "60", "--per-day", "20000"]);
    expect(set.stdout.split("\n").slice(0, 3)).toEqual([
      "LIMIT              USED  LEFT   FREE AGAIN",
      "60 mails a minute  0     60     -",
      "20000 mails a day  0     20000  -",
    ]);
    await cli.run(["client", "limits", "office", "--clear", "rate", "--per-hour", "500"]);
    expect(await cli.json(["client", "limits", "office"])).toEqual([
      { per: "hour", max: 500, used: 0 },
      { per: "day", max: 20_000, used: 0 },
    ]);
    expect(await cli.json(["client", "show", "office"])).toMatchObject({ ratePerHour: 500, ratePerDay: 20_000 });
  });

  it("cannot use half a mail", async () => {
    const ran = await cli.run(["client", "limits", "office", "--per-hour", "0.5"]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("ratePerHour");
  });
});
