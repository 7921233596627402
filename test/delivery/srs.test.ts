import { describe, expect, it } from "vitest";
import { createSrs } from "../../src/delivery/srs.ts";
import type { Address } from "../../src/mail/address.ts";
import { parseAddress } from "../../src/mail/path.ts";
import { handClock } from "../helpers/hand-clock.ts";

const DAY_MS = 86_400_000;
const address = (text: string): Address => {
  const read = parseAddress(text);
  if (!read) throw new Error(`no address: ${text}`);
  return read;
};

function site(domain = "relay.example.net", secret = "0123456789abcdef0123456789abcdef") {
  const clock = handClock(Date.UTC(2026, 10, 22));
  return { clock, srs: createSrs({ domain, secret: Buffer.from(secret), nowMs: clock.now, daysMax: 21 }) };
}

const text = (found: Address | "bad" | undefined): string | undefined =>
  typeof found === "object" ? found.text : found;

describe("a sender that is rewritten", () => {
  it.each(["ann@mail.example", "A.Long-Name+tag@xn--fiqs8s.example", "a=b@mail.example"])(
    "comes back: %s",
    (original) => {
      const { srs } = site();
      const ours = srs.rewrite(address(original));
      expect(ours?.text).toMatch(/srs0=[a-z2-7]{8}=[a-z2-7]{2}=.*@relay\.example\.net$/i);
      expect(text(srs.reverse(address(ours?.text ?? "")))).toBe(address(original).text);
    },
  );

  it("comes back though somebody wrote it in small letters, but for its own case", () => {
    const { srs } = site();
    const ours = srs.rewrite(address("Ann@mail.example"))?.text.toLowerCase() ?? "";
    expect(text(srs.reverse(address(ours)))).toBe("ann@mail.example");
  });

  it("that was rewritten by others before comes back to the first of them", () => {
    const [first, second, third] = [
      site("one.example", "1".repeat(32)),
      site("two.example", "2".repeat(32)),
      site("three.example", "3".repeat(32)),
    ];
    const one = first.srs.rewrite(address("ann@mail.example")) as Address;
    const two = second.srs.rewrite(one) as Address;
    const three = third.srs.rewrite(two) as Address;
    expect(two.text).toMatch(/^SRS1=[a-z2-7]{8}=one\.example==/);
    expect(three.text).toMatch(/^SRS1=[a-z2-7]{8}=one\.example==.*@three\.example$/);
    for (const [at, ours] of [
      [second, two],
      [third, three],
    ] as const) {
      expect(text(at.srs.reverse(ours))).toBe(one.text);
    }
    expect(text(first.srs.reverse(one))).toBe("ann@mail.example");
  });

  it("is taken for 21 days, and no longer, and not from the future", async () => {
    const { clock, srs } = site();
    const ours = srs.rewrite(address("ann@mail.example")) as Address;
    await clock.pass(21 * DAY_MS);
    expect(text(srs.reverse(ours))).toBe("ann@mail.example");
    await clock.pass(DAY_MS);
    expect(srs.reverse(ours)).toBe("bad");
    const late = srs.rewrite(address("ann@mail.example")) as Address;
    expect(site().srs.reverse(late)).toBe("bad");
  });

  it("cannot be made by anybody else, or changed", () => {
    const { srs } = site();
    const ours = srs.rewrite(address("ann@mail.example"))?.text ?? "";
    expect(srs.reverse(address(ours.replace("=ann@", "=ben@")))).toBe("bad");
    expect(srs.reverse(address(ours.replace("mail.example", "bank.example")))).toBe("bad");
    expect(srs.reverse(address("SRS0=aaaaaaaa=aa=mail.example=ann@relay.example.net"))).toBe("bad");
    const other = site("relay.example.net", "f".repeat(32)).srs.rewrite(address("ann@mail.example"));
    expect(srs.reverse(other as Address)).toBe("bad");
  });

  it("stays as it is when it would grow too long or needs quotes, and others' addresses are no business of ours", () => {
    const { srs } = site();
    expect(srs.rewrite(address(`${"x".repeat(60)}@mail.example`))).toBeUndefined();
    expect(srs.rewrite(address('"odd name"@mail.example'))).toBeUndefined();
    expect(srs.reverse(address("ann@relay.example.net"))).toBeUndefined();
    expect(srs.reverse(address("SRS0=aaaaaaaa=aa=mail.example=ann@else.example"))).toBeUndefined();
  });
});
