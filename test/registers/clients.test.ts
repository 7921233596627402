import { describe, expect, it } from "vitest";
import type { Tables } from "../../src/kit/store.ts";
import { Misuse, Unavailable } from "../../src/kit/trouble.ts";
import type { Client } from "../../src/mail/client.ts";
import { createClientRegister } from "../../src/registers/clients.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";
import { clientOf } from "../helpers/described.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { until } from "../helpers/wait.ts";

/** Tables that can be taken away and given back, and count how often they are listed. */
function fragile(tables = createMemoryTables()) {
  const state = { away: false, lists: 0, tables: {} as Tables };
  const gone = () => new Unavailable("store", "gone");
  state.tables = {
    ...tables,
    get: (...args) => (state.away ? Promise.reject(gone()) : tables.get(...args)),
    async *list(...args) {
      state.lists += 1;
      if (state.away) throw gone();
      yield* tables.list(...args);
    },
  };
  return state;
}

const registerOf = (tables: Tables = createMemoryTables(), clock = handClock()) => ({
  clock,
  clients: createClientRegister(tables, clock),
});

describe("recording a client", () => {
  it("gives it back as it was, without its password", async () => {
    const { clients } = registerOf();
    const shop = clientOf({ networks: ["192.0.2.0/24"], licence: "B2-1", code: "1231", ratePerMinute: 60 });
    await clients.save(shop, "open sesame");
    expect(await clients.byId("shop")).toEqual(shop);
    expect(await clients.list()).toEqual([shop]);
    expect(JSON.stringify(await clients.list())).not.toContain("scrypt");
    expect(Object.isFrozen(await clients.byId("shop"))).toBe(true);
  });

  it("names every field that is wrong", async () => {
    const { clients } = registerOf();
    const wrong = clientOf({
      id: "Has Blanks",
      networks: ["192.0.2.0/33"],
      domains: [""],
      ratePerMinute: 0,
      kind: "pirate" as never,
    });
    const problems = await clients
      .save(wrong)
      .catch((error: unknown) => (error instanceof Misuse ? error.problems : []));
    expect(problems).toEqual([
      expect.stringMatching(/^id: /),
      expect.stringMatching(/^kind: /),
      expect.stringMatching(/^networks\.0: an IP address or CIDR range/),
      expect.stringMatching(/^domains\.0: /),
      expect.stringMatching(/^ratePerMinute: /),
    ]);
    expect(await clients.list()).toEqual([]);
  });

  it("keeps the password when the rest changes, and replaces it when one is given", async () => {
    const { clients } = registerOf();
    await clients.save(clientOf(), "first");
    await clients.save(clientOf({ kind: "advertiser" }));
    expect((await clients.authenticate("shop", "first"))?.kind).toBe("advertiser");
    await clients.save(clientOf(), "second");
    expect(await clients.authenticate("shop", "first")).toBeUndefined();
    expect(await clients.authenticate("shop", "second")).toBeDefined();
  });
});

describe("a login", () => {
  it.each([
    ["its own password", "shop", "open sesame", true],
    ["its name in capitals", "SHOP", "open sesame", true],
    ["another password", "shop", "open", false],
    ["no password", "shop", "", false],
    ["a client that does not exist", "ghost", "open sesame", false],
    ["a client that has no password", "silent", "", false],
    ["a client that is disabled", "closed", "open sesame", false],
  ])("with %s", async (_, login, password, expected) => {
    const { clients } = registerOf();
    await clients.save(clientOf(), "open sesame");
    await clients.save(clientOf({ id: "silent" }));
    await clients.save(clientOf({ id: "closed", disabled: true }), "open sesame");
    expect((await clients.authenticate(login, password)) !== undefined).toBe(expected);
  });

  it("of nobody costs as much as a wrong password: the hash is worked out all the same", async () => {
    const { clients } = registerOf();
    const before = performance.now();
    await clients.authenticate("ghost", "wrong");
    expect(performance.now() - before, "scrypt at this cost takes tens of milliseconds").toBeGreaterThan(10);
  });
});

describe("disabling", () => {
  it("shuts every way in and can be undone", async () => {
    const { clients } = registerOf();
    await clients.save(clientOf({ networks: ["192.0.2.1"] }), "x");
    expect(await clients.disable("shop", true)).toBe(true);
    expect(await clients.byId("shop")).toBeUndefined();
    expect(await clients.authenticate("shop", "x")).toBeUndefined();
    expect(await clients.byNetwork("192.0.2.1")).toBeUndefined();
    expect(await clients.disable("shop", false)).toBe(true);
    expect(await clients.authenticate("shop", "x")).toBeDefined();
    expect(await clients.byNetwork("192.0.2.1")).toBeDefined();
  });

  it("says when there is no such client", async () => {
    expect(await registerOf().clients.disable("ghost", true)).toBe(false);
  });
});

describe("networks", () => {
  const many: Client[] = [
    clientOf({ id: "wide", networks: ["192.0.2.0/24", "2001:db8::/32"] }),
    clientOf({ id: "narrow", networks: ["192.0.2.128/25", "2001:db8:1::/48"] }),
    clientOf({ id: "single", networks: ["192.0.2.129"] }),
    clientOf({ id: "closed", networks: ["192.0.2.130"], disabled: true }),
    clientOf({ id: "traveller" }),
  ];

  it.each([
    ["192.0.2.1", "wide"],
    ["192.0.2.200", "narrow"],
    ["192.0.2.129", "single"],
    ["192.0.2.130", "narrow"],
    ["::ffff:192.0.2.1", "wide"],
    ["2001:db8:1::5", "narrow"],
    ["2001:db8:2::5", "wide"],
    ["198.51.100.1", undefined],
    ["not an address", undefined],
  ])("%s belongs to %s", async (ip, expected) => {
    const { clients } = registerOf();
    for (const client of many) await clients.save(client);
    expect((await clients.byNetwork(ip))?.id).toBe(expected);
  });

  it("are read again every two seconds, not for every connection", async () => {
    const store = fragile();
    const { clients, clock } = registerOf(store.tables);
    const elsewhere = createClientRegister(store.tables, clock);
    await clients.save(clientOf({ networks: ["192.0.2.1"] }));
    for (let i = 0; i < 50; i += 1) await clients.byNetwork("192.0.2.1");
    expect(store.lists).toBe(1);
    await elsewhere.disable("shop", true);
    expect(await clients.byNetwork("192.0.2.1"), "not yet heard of").toBeDefined();
    await clock.pass(2000);
    await clients.byNetwork("192.0.2.1");
    await until("the list is read again", async () => (await clients.byNetwork("192.0.2.1")) === undefined);
  });

  it("are believed for thirty seconds without a store, and not longer", async () => {
    const store = fragile();
    const { clients, clock } = registerOf(store.tables);
    await clients.save(clientOf({ networks: ["192.0.2.1"] }));
    await clients.byNetwork("192.0.2.1");
    store.away = true;
    await clock.pass(29_000);
    expect(await clients.byNetwork("192.0.2.1")).toBeDefined();
    await clock.pass(1000);
    await expect(clients.byNetwork("192.0.2.1")).rejects.toThrow(Unavailable);
    store.away = false;
    expect(await clients.byNetwork("192.0.2.1"), "back by itself").toBeDefined();
  });

  it("that were never read are no answer", async () => {
    const store = fragile();
    store.away = true;
    await expect(registerOf(store.tables).clients.byNetwork("192.0.2.1")).rejects.toThrow(Unavailable);
  });
});
