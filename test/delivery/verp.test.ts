import { describe, expect, it } from "vitest";
import { createSrs } from "../../src/delivery/srs.ts";
import { createVerp, type Returned } from "../../src/delivery/verp.ts";
import type { Address } from "../../src/mail/address.ts";
import { parseAddress } from "../../src/mail/path.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { handClock } from "../helpers/hand-clock.ts";

const DAY_MS = 86_400_000;
const DOMAIN = "bounce.example.com";
const SECRET = Buffer.from("0123456789abcdef0123456789abcdef");
const address = (text: string): Address => {
  const read = parseAddress(text);
  if (!read) throw new Error(`no address: ${text}`);
  return read;
};
const about = (recipient: string, more: Partial<Returned> = {}): Returned => ({
  sender: address("News@shop.example"),
  recipient: address(recipient),
  client: "shop",
  ...more,
});

function site(secret = SECRET) {
  const clock = handClock(Date.UTC(2026, 10, 22));
  const { tables } = createMemoryStore(clock);
  const open = (key = secret) => createVerp({ domain: DOMAIN, secret: key, nowMs: clock.now, daysMax: 21, tables });
  return { clock, tables, open, verp: open() };
}

const shown = (found: Returned | "bad" | undefined) =>
  typeof found === "object" ? { ...found, sender: found.sender.text, recipient: found.recipient.text } : found;

describe("a return address", () => {
  it.each([
    ["a plain one", "ann@mail.example", /^bounce\+[a-z2-7]{20}=ann=mail\.example$/],
    ["one with signs", "a.b+c=d@mail.example", /=a\.b\+c=d=mail\.example$/],
    ["of another script", "李@mail.example", /^bounce\+[a-z2-7]{20}=[a-z2-7]{10}$/],
    ["one that needs quotes", '"a b"@mail.example', /^bounce\+[a-z2-7]{20}=[a-z2-7]{10}$/],
    ["at an address literal", "ann@[192.0.2.1]", /^bounce\+[a-z2-7]{20}=[a-z2-7]{10}$/],
    ["a long one", `${"a".repeat(30)}@long.department.mail.example`, /^bounce\+[a-z2-7]{20}=[a-z2-7]{10}$/],
  ])("tells the recipient, the sender and whose advertisement it was: %s", async (_, recipient, form) => {
    const { verp, open } = site();
    const ours = await verp.write(about(recipient, { advertiser: "shop" }));
    expect(ours?.domain).toBe(DOMAIN);
    expect(ours?.local).toMatch(form);
    expect(ours?.local.length).toBeLessThanOrEqual(64);
    const read = shown(await open().read(address(ours?.text ?? "")));
    expect(read).toEqual({
      sender: "News@shop.example",
      recipient: address(recipient).text,
      client: "shop",
      advertiser: "shop",
    });
  });

  it("is known again in small or capital letters", async () => {
    const { verp } = site();
    const ours = await verp.write(about("Ann@mail.example"));
    const shouted = address(`${ours?.local.toUpperCase()}@${DOMAIN}`);
    expect(shown(await verp.read(shouted))).toMatchObject({ recipient: "ANN@mail.example", client: "shop" });
  });

  it("keeps apart who sent it and for whom", async () => {
    const { verp, tables } = site();
    const all = [
      about("a@mail.example"),
      about("a@mail.example", { client: "other" }),
      about("a@mail.example", { sender: address("news@shop.example") }),
      about("a@mail.example", { advertiser: "shop" }),
    ];
    const written = await Promise.all(all.map((each) => verp.write(each)));
    expect(new Set(written.map((each) => each?.text)).size).toBe(4);
    await verp.write(about("b@mail.example"));
    let rows = 0;
    for await (const _ of tables.scan("return-addresses")) rows += 1;
    expect(rows, "a record for each sender, none for a mail").toBe(4);
  });

  it.each<[string, (local: string) => string]>([
    ["whose recipient was changed", (local) => local.replace("=ann=", "=ben=")],
    [
      "whose sender was changed",
      (local) => local.replace(/^(bounce\+.{10})./, "$1a").replace(/^(bounce\+.{11})./, "$1b"),
    ],
    ["with a made-up seal", (local) => local.replace(/^bounce\+.{8}/, "bounce+aaaaaaaa")],
  ])("%s is nobody's", async (_, change) => {
    const { verp } = site();
    const ours = await verp.write(about("ann@mail.example"));
    const changed = change(ours?.local ?? "");
    expect(changed).not.toBe(ours?.local);
    expect(await verp.read(address(`${changed}@${DOMAIN}`))).toBe("bad");
  });

  it("of another site, or of forwarded mail, is none of ours", async () => {
    const { verp, open, clock } = site();
    const ours = (await verp.write(about("ann@mail.example"))) as Address;
    expect(await open(Buffer.from("f".repeat(32))).read(ours)).toBe("bad");
    expect(await verp.read(address(`${ours.local}@other.example`))).toBeUndefined();
    expect(await verp.read(address(`bounce+ann@${DOMAIN}`))).toBeUndefined();
    const srs = createSrs({ domain: DOMAIN, secret: SECRET, nowMs: clock.now, daysMax: 21 });
    expect(srs.reverse(ours)).toBeUndefined();
  });

  it("is taken for so many days, and its record is kept as long as that and then forgotten", async () => {
    const { verp, open, clock, tables } = site();
    const ours = (await verp.write(about("ann@mail.example"))) as Address;
    await clock.pass(21 * DAY_MS);
    await open().tidy();
    expect(shown(await verp.read(ours))).toMatchObject({ client: "shop" });
    await clock.pass(1 * DAY_MS);
    expect(await verp.read(ours)).toBe("bad");
    await clock.pass(2 * DAY_MS);
    await open().tidy();
    for await (const row of tables.scan("return-addresses")) expect(row).toBe("no row");
  });

  it("of a sender who writes every day is never forgotten", async () => {
    const { open, clock } = site();
    let last: Address | undefined;
    for (let day = 0; day < 60; day += 1) {
      const verp = open();
      last = await verp.write(about("ann@mail.example"));
      await verp.tidy();
      await clock.pass(DAY_MS);
    }
    expect(shown(await open().read(last as Address))).toMatchObject({ sender: "News@shop.example" });
  });
});
