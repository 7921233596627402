import { describe, expect, it } from "vitest";
import { createRequestRegister, stateOf } from "../../src/ledger/requests.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";

const NOW = Date.parse("2026-11-22T10:00Z");
const register = () => createRequestRegister(createMemoryTables(), { now: () => NOW });
const opening = {
  case: "2026-117",
  authority: "Public Security Bureau",
  basis: "order 12 of 2026-11-20",
  scope: "all mail of li@example.com",
  search: { address: "li@example.com", untilMs: NOW },
  openedBy: "ann",
};

describe("the register of lawful requests", () => {
  it("takes a request from its opening over its approval to its export", async () => {
    const requests = register();
    expect(stateOf((await requests.open(opening)) as never)).toBe("open");
    const approved = await requests.approve("2026-117", "bob");
    expect(approved).toEqual({ ...opening, openedAt: NOW, approvedBy: "bob", approvedAt: NOW });
    await requests.exported("2026-117", { by: "ann", entries: 7, digest: "d" });
    const [only] = await requests.list();
    expect(only).toEqual({ ...(approved as object), exported: { by: "ann", at: NOW, entries: 7, digest: "d" } });
    expect(only && stateOf(only)).toBe("exported");
  });

  it("has one request for each case", async () => {
    const requests = register();
    await requests.open(opening);
    expect(await requests.open({ ...opening, openedBy: "bob", scope: "everything" })).toBeUndefined();
    expect((await requests.find("2026-117"))?.scope).toBe(opening.scope);
  });

  it.each(["ann", "ANN"])("is not approved by %s, who opened it", async (name) => {
    const requests = register();
    await requests.open(opening);
    expect(await requests.approve("2026-117", name)).toBe("own");
    expect((await requests.find("2026-117"))?.approvedBy).toBeUndefined();
  });

  it("is approved once, also by two at the same time", async () => {
    const requests = register();
    await requests.open(opening);
    const said = await Promise.all(["bob", "eve"].map((name) => requests.approve("2026-117", name)));
    expect(said.filter((each) => each === "approved")).toHaveLength(1);
    expect(await requests.approve("2026-117", "dan")).toBe("approved");
    expect(await requests.approve("2026-118", "bob")).toBe("unknown");
  });
});
