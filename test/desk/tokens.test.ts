import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokens } from "../../src/desk/tokens.ts";
import { handClock } from "../helpers/hand-clock.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const clock = handClock(NOW);
const tokens = createTokens(Buffer.alloc(32, 7), clock, 30);
const meaning = { kind: "refuse", advertiser: "shop", recipient: "li@mail.example" } as const;

describe("a token", () => {
  it("means what it was made for, and shows no address", () => {
    const token = tokens.make(meaning);
    expect(tokens.read(token)).toEqual({ ...meaning, madeAtMs: NOW });
    expect(token).toMatch(/^[\w-]{43,}$/);
    expect(Buffer.from(token, "base64url").toString("latin1")).not.toMatch(/li@|shop/);
    expect(tokens.make(meaning), "two tokens of one pair cannot be told to be").not.toBe(token);
  });

  it("is nobody else's: another secret, one changed bit or a cut end make it nothing", () => {
    const token = tokens.make(meaning);
    expect(createTokens(Buffer.alloc(32, 8), clock, 30).read(token)).toBeUndefined();
    const bytes = Buffer.from(token, "base64url");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect(tokens.read(changed.toString("base64url"))).toBeUndefined();
        expect(tokens.read(bytes.subarray(0, at).toString("base64url"))).toBeUndefined();
      }),
    );
  });

  it("reads any text without failing", () => {
    fc.assert(fc.property(fc.string(), (text) => tokens.read(text) === undefined));
  });

  it("to refuse never expires; to agree is over after its days", () => {
    const refuse = tokens.make(meaning);
    const agree = tokens.make({ ...meaning, kind: "agree" });
    const later = (days: number) => createTokens(Buffer.alloc(32, 7), handClock(NOW + days * 86_400_000), 30);
    expect(later(29).read(agree)).toBeDefined();
    expect(later(31).read(agree)).toBeUndefined();
    expect(later(3650).read(refuse)).toBeDefined();
  });

  it.each<[string, (token: string) => string]>([
    ["behind the words of a reply", (token) => `Re: 回复: stop [${token}]`],
    ["folded by a mail program", (token) => `${token.slice(0, 30)}\r\n ${token.slice(30)}`],
    ["among other long words", (token) => `${"x".repeat(60)} ${"y".repeat(70)} ${token}`],
  ])("is found %s", (_, text) => {
    expect(tokens.find(text(tokens.make(meaning)))).toMatchObject(meaning);
  });
});
