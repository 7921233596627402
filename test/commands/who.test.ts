import { describe, expect, it } from "vitest";
import { needAuditor, whoAsks } from "../../src/commands/who.ts";
import { configSchema } from "../../src/config/schema.ts";

const config = (ledger: object = {}) => configSchema.parse({ ledger });

describe("who asks", () => {
  it.each<[string, object, string | undefined, string, string]>([
    ["is the login, an auditor where nobody is named", {}, undefined, "ann", "auditor"],
    ["is an auditor when named", { auditors: ["ann"] }, undefined, "ann", "auditor"],
    ["is an operator when only others are named", { auditors: ["bob"] }, undefined, "ann", "operator"],
    ["is an operator when nobody is", { auditors: [] }, undefined, "ann", "operator"],
    ["may say his own name", {}, "ann", "ann", "auditor"],
    ["may ask for others where that is allowed", { mayActAs: ["ann"] }, "bob", "bob", "auditor"],
    ["has the rights of whom he asks for", { mayActAs: ["ann"], auditors: ["ann"] }, "bob", "bob", "operator"],
  ])("%s", (_, ledger, as, name, role) => {
    expect(whoAsks(config(ledger), as, "ann")).toEqual({ name, role });
  });

  it("may not say another name without being allowed to", () => {
    expect(() => whoAsks(config({ mayActAs: ["eve"] }), "bob", "ann")).toThrow("ann may not ask for somebody else");
  });

  it("is told who may, when it is for auditors", () => {
    expect(() => needAuditor({ name: "ann", role: "operator" })).toThrow("ledger.auditors does not name ann");
    expect(needAuditor({ name: "ann", role: "auditor" })).toBeUndefined();
  });
});
