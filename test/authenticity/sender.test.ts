import { describe, expect, it } from "vitest";
import type { Authenticity } from "../../src/authenticity/judge.ts";
import { provesSender } from "../../src/authenticity/sender.ts";
import { parseAddress } from "../../src/mail/path.ts";

interface Case {
  readonly sender?: string;
  /** "identity result domain" */
  readonly spf?: string;
  readonly dkim?: readonly string[];
  readonly dmarc?: string;
}

function proves({ sender = "bob@friend.example", spf = "mailfrom none friend.example", dkim = [], dmarc }: Case) {
  const [identity = "", result = "", domain = ""] = spf.split(" ");
  const [dmarcResult = "none", author] = dmarc?.split(" ") ?? [];
  const found = {
    spf: { identity, domain, outcome: { result } },
    dkim: dkim.map((each) => ({ result: each.split(" ")[0], domain: each.split(" ")[1] })),
    arc: { result: "none", sets: [] },
    dmarc: { result: dmarcResult, ...(author && { author }) },
  } as unknown as Authenticity;
  return provesSender(found, sender === "" ? null : (parseAddress(sender) ?? null));
}

describe("the domain of MAIL FROM", () => {
  it.each<[string, Case]>([
    ["SPF passed for it", { spf: "mailfrom pass friend.example" }],
    ["its signature holds", { dkim: ["fail other.example", "pass friend.example"] }],
    ["its parent's signature holds", { sender: "bob@mail.friend.example", dkim: ["pass friend.example"] }],
    ["a subdomain's signature holds", { dkim: ["pass s.Friend.example"] }],
    ["DMARC passed for an author of its organisation", { dmarc: "pass www.friend.example" }],
  ])("vouches for the sender where %s", (_, given) => {
    expect(proves(given)).toBe(true);
  });

  it.each<[string, Case]>([
    ["nothing was found", {}],
    ["SPF does not say pass", { spf: "mailfrom softfail friend.example" }],
    ["only HELO passed", { spf: "helo pass mx.friend.example" }],
    ["somebody else signed", { dkim: ["pass forwarder.example"] }],
    ["its own signature is broken", { dkim: ["fail friend.example"] }],
    ["DMARC passed for another author", { dmarc: "pass forwarder.example" }],
    ["a neighbour under the same public suffix signed", { sender: "b@one.co.uk", dkim: ["pass two.co.uk"] }],
    ["it names nobody", { sender: "", spf: "mailfrom pass friend.example" }],
    ["it is an address literal", { sender: "bob@[192.0.2.1]", spf: "mailfrom pass [192.0.2.1]" }],
  ])("does not where %s", (_, given) => {
    expect(proves(given)).toBe(false);
  });
});
