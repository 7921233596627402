import { describe, expect, it } from "vitest";
import { listed } from "../../../src/rules/conduct/listed.ts";
import type { Hit, Listing } from "../../../src/signals/lists.ts";
import { contextOf, viewsOf } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const hit = (more: Partial<Hit> = {}): Hit => ({
  name: "list.example",
  kind: "block",
  weight: 1,
  answer: "127.0.0.2",
  ...more,
});
const listing = (weight: number, ...hits: readonly Hit[]): Listing => ({ hits, weight, missing: [] });

testRule(listed, {
  letsThrough: [
    ["everybody where there is no list", {}],
    ["an address on no list", { lists: listing(0) }],
    ["an address on an allow list", { lists: listing(-1, hit({ kind: "allow" })) }],
    [
      "an address that the allow list weighs more for",
      { lists: listing(-1, hit(), hit({ kind: "allow", weight: 2 })) },
    ],
    ["a client, wherever it is", { client: {}, lists: listing(1, hit()) }],
    ["a host of our own", { relayNetwork: true, lists: listing(1, hit()) }],
    ["mail to postmaster", { to: ["Postmaster@example.com"], lists: listing(1, hit()) }],
    ["mail to a bare postmaster", { to: ["postmaster"], lists: listing(1, hit()) }],
    ["mail to abuse", { to: ["abuse@example.com"], lists: listing(1, hit()) }],
    ["a weight below what is noted", { options: { noteFrom: 0.5 }, lists: listing(0.2, hit({ weight: 0.2 })) }],
  ],
  catches: [
    ["a listed stranger", { lists: listing(1, hit()) }, "rcpt: reject listed"],
    [
      "two lists that are half sure",
      { lists: listing(1, hit({ weight: 0.5 }), hit({ weight: 0.5 })) },
      "rcpt: reject listed",
    ],
    ["one that is half sure", { lists: listing(0.5, hit({ weight: 0.5 })) }, "rcpt: note the address is listed"],
    ["abuse of somebody else", { to: ["abuse@elsewhere.example"], lists: listing(1, hit()) }, "rcpt: reject listed"],
    ["a bounce", { from: "", lists: listing(1, hit()) }, "rcpt: reject listed"],
  ],
});

describe("the lists", () => {
  it("are asked once for each mail, however many recipients it has", async () => {
    let asked = 0;
    const look = async (): Promise<Listing> => {
      asked += 1;
      return listing(1, hit());
    };
    const context = { ...contextOf(), lists: { isEmpty: false, look }, options: listed.options.parse({}) };
    const views = viewsOf({ to: ["a@example.com", "b@example.com", "c@example.com"] });
    const found = await Promise.all(views.rcpt.map((view) => listed.looks.rcpt?.(view, context)));
    expect(found.every((each) => each && "kind" in each && each.kind === "reject")).toBe(true);
    expect(asked).toBe(1);
  });
});
