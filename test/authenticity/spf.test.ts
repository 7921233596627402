import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkHost } from "../../src/authenticity/spf/check.ts";
import { readSpfRecord } from "../../src/authenticity/spf/record.ts";
import { NOW_MS } from "../helpers/described.ts";
import { namesOf } from "../helpers/names.ts";

async function check(
  dns: readonly string[],
  more: { ip?: string; sender?: string; asked?: string[] } = {},
): Promise<string> {
  const { ip = "192.0.2.1", sender = "bob@sender.example", asked = [] } = more;
  const domain = sender.slice(sender.lastIndexOf("@") + 1);
  const question = { ip, domain, sender, helo: "mx.sender.example", receiver: "relay.example.net", nowMs: NOW_MS };
  const { result, explanation } = await checkHost(namesOf(dns, asked), question);
  return explanation === undefined ? result : `${result}: ${explanation}`;
}

const spf = (text: string): string => `sender.example TXT v=spf1 ${text}`;
const chain = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `i${n}.example TXT v=spf1 include:i${n + 1}.example ?all`);

/** One character a byte, as headers and records are read. */
const anyBytes = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

describe("SPF", () => {
  it.each([
    ["no record", ["sender.example TXT hello"], "none"],
    ["an address of the network", [spf("ip4:192.0.2.0/24 -all")], "pass"],
    ["another one", [spf("ip4:192.0.3.0/24 -all")], "fail"],
    ["a record of another version beside it", [spf("-all"), "sender.example TXT v=spf10 +all"], "fail"],
    ["two records", [spf("-all"), spf("+all")], "permerror"],
    ["an include of itself", [spf("include:sender.example -all")], "permerror"],
    [
      "a circle of two",
      [spf("include:b.example -all"), "b.example TXT v=spf1 include:sender.example -all"],
      "permerror",
    ],
    ["a redirect to itself", [spf("redirect=sender.example")], "permerror"],
    ["ten look-ups", [spf("include:i0.example -all"), ...chain(9), "i9.example TXT v=spf1 ip4:192.0.2.1"], "pass"],
    [
      "eleven look-ups",
      [spf("include:i0.example -all"), ...chain(10), "i10.example TXT v=spf1 ip4:192.0.2.1"],
      "permerror",
    ],
    ["two look-ups without an answer", [spf("a:x.example a:y.example ip4:192.0.2.1 -all")], "pass"],
    ["three look-ups without an answer", [spf("a:x.example a:y.example a:z.example ip4:192.0.2.1 -all")], "permerror"],
    ["silence", ["sender.example silence"], "temperror"],
    ["silence about a mechanism", [spf("a:quiet.example -all"), "quiet.example silence"], "temperror"],
    [
      "macros in the middle",
      [spf("exists:%{ir}.x%{d1}x.%{l1r-}.example -all"), "1.2.0.192.xexamplex.bob.example A 127.0.0.2"],
      "pass",
    ],
    [
      "an explanation",
      [spf("-all exp=why.example"), "why.example TXT %{i} is not one of %{d}%%"],
      "fail: 192.0.2.1 is not one of sender.example%",
    ],
    ["bytes that are no ASCII", [spf("ip4:192.0.2.1 \u00e9 -all")], "permerror"],
  ])("%s", async (_, dns, expected) => {
    expect(await check(dns)).toBe(expected);
  });

  it("asks a bounded number of questions, whatever the records", async () => {
    const wide = Array.from({ length: 10 }, (_, n) => `MX 10 m${n}.example`);
    const dns = [
      spf(Array.from({ length: 10 }, (_, n) => `mx:w${n}.example`).join(" ")),
      ...Array.from({ length: 10 }, (_, n) => wide.map((mx) => `w${n}.example ${mx}`)).flat(),
      ...Array.from({ length: 10 }, (_, n) => `m${n}.example A 203.0.113.${n}`),
    ];
    const asked: string[] = [];
    expect(await check(dns, { asked })).toBe("neutral");
    expect(asked.length).toBeLessThanOrEqual(1 + 10 + 100);
  });

  it("reads any text in linear time, without a throw", () => {
    fc.assert(fc.property(anyBytes, (text) => void readSpfRecord(`v=spf1 ${text}`)));
    const began = performance.now();
    for (const piece of ["%{d", "a:", "%%", "include:%{l1r-+.,/_=}", "/", "a/1", "ip6:::/"])
      readSpfRecord(`v=spf1 ${piece.repeat(10_000)}`);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
