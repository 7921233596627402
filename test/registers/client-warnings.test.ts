import { describe, expect, it } from "vitest";
import type { Client, SendingAddress } from "../../src/mail/client.ts";
import { dueOf } from "../../src/registers/client-warnings.ts";
import { clientOf, packOf } from "../helpers/described.ts";

const NOW_MS = Date.parse("2026-11-22T08:00:00Z");
const packs = [packOf("cn-2006")];
const address = (more: Partial<SendingAddress> = {}): SendingAddress => ({
  network: "192.0.2.25",
  use: "source",
  authority: "MIIT",
  registeredOn: "2026-01-01",
  ...more,
});
const provider: Partial<Client> = { kind: "email-provider", licence: "B2", addresses: [address()] };
const campaign = { senders: ["@a.example"], helo: [], networks: [], recipientsMax: 1, fromMs: 1 };

describe("what is due with a customer", () => {
  it.each([
    ["nothing, mostly", {}, []],
    ["nothing with a mail service that has all it needs", provider, []],
    [
      "a permit that is missing",
      { ...provider, licence: "" },
      [/email-provider without a permit or filing number \(Order 38/],
    ],
    ["a permit that ends within thirty days", { licensedUntil: "2026-12-20" }, [/its permit ends on 2026-12-20/]],
    ["not one that ends later", { licensedUntil: "2027-01-20" }, []],
    ["registered addresses that are missing", { ...provider, addresses: [] }, [/without registered addresses/]],
    [
      "an address that may not be used yet",
      { addresses: [address({ registeredOn: "2026-11-20" })] },
      [/not be used before 2026-12-10/],
    ],
    [
      "an address that ends soon",
      { addresses: [address({ endsOn: "2026-12-20" })] },
      [/192.0.2.25 ends on 2026-12-20/],
    ],
    ["an address that is over", { addresses: [address({ endsOn: "2026-11-20" })] }, [/ended on 2026-11-20/]],
    ["campaigns that are all over", { campaigns: [{ ...campaign, name: "a", untilMs: NOW_MS }] }, [/every campaign/]],
    [
      "not while one is left",
      {
        campaigns: [
          { ...campaign, name: "a", untilMs: NOW_MS },
          { ...campaign, name: "b", untilMs: NOW_MS + 1 },
        ],
      },
      [],
    ],
    ["nothing with one that is disabled", { ...provider, licence: "", disabled: true }, []],
  ] as [string, Partial<Client>, RegExp[]][])("%s", (_, more, expected) => {
    const found = dueOf(clientOf(more), packs, NOW_MS);
    expect(found.map(({ what }) => what)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
    for (const { advice } of found) expect(advice.length).toBeGreaterThan(10);
  });
});
