import { describe, expect, it } from "vitest";
import type { KeptMail } from "../../scripts/bench/lib/keeping-sink.ts";
import { balance } from "../../scripts/lib/soak/account.ts";
import type { Fate } from "../../scripts/lib/soak/client.ts";
import type { Entry } from "../../src/ledger/entry.ts";

const CONTENT = Buffer.from("Subject: minutes\r\n\r\n.hello\r\n");
const ID = "01ABC";
const mail = { recipient: "m1@example.com", name: "made 1", content: CONTENT };
const fate = (more: Partial<Fate> = {}): Fate => ({
  mail,
  state: "taken",
  attempts: 1,
  unanswered: 0,
  said: `250 2.0.0 kept - id ${ID}`,
  ...more,
});
const copy = (front = `Received: from x by relay\r\n id ${ID}; now\r\n`, content = CONTENT): KeptMail => ({
  sender: "writer@stranger.example",
  recipients: [mail.recipient],
  content: Buffer.concat([Buffer.from(front), content]),
  atMs: 0,
});
const entry = (more: Partial<Entry> = {}): Entry => ({
  id: "1",
  at: 0,
  event: "received",
  recipient: mail.recipient,
  mailId: ID,
  ...more,
});
const books = (more: Partial<Parameters<typeof balance>[0]>) =>
  balance({ fates: [fate()], kept: [copy()], lostAnswers: [], entries: [entry()], ...more });

describe("the account of a soak", () => {
  it("balances when what was answered 250 is there once, byte for byte, with its entry", () => {
    expect(books({})).toMatchObject({ sent: 1, delivered: 1, refused: 0, deferred: 0, differences: [] });
  });

  it.each<[string, Partial<Parameters<typeof balance>[0]>, RegExp]>([
    ["a mail that was answered 250 and is not there", { kept: [] }, /not there/],
    ["a mail that is there twice, and nobody lost an answer", { kept: [copy(), copy()] }, /there 2 times/],
    [
      "a mail that is there although it was never taken",
      { fates: [fate({ state: "open", said: "451" })] },
      /answered never/,
    ],
    ["a mail that was refused and is there", { fates: [fate({ state: "refused", said: "550" })] }, /answered never/],
    [
      "a byte that is another",
      { kept: [copy(undefined, Buffer.from("Subject: minutes\r\n\r\n.Hello\r\n"))] },
      /byte for byte/,
    ],
    ["something strange in front", { kept: [copy(`X-Ad: yes\r\nReceived: id ${ID}\r\n`)] }, /strange/],
    ["an id that the ledger does not know", { entries: [] }, /ledger does not know/],
    [
      "a refusal that the ledger does not know",
      { fates: [fate({ state: "refused" })], kept: [] },
      /refused, and the ledger/,
    ],
    ["a mail nobody sent", { fates: [] }, /nobody sent/],
  ])("does not balance for %s", (_, more, says) => {
    expect(books(more).differences.join("\n")).toMatch(says);
  });

  it("counts a copy more where a sender was left without an answer, or the next hop broke off", () => {
    expect(books({ kept: [copy(), copy()], fates: [fate({ unanswered: 1 })] })).toMatchObject({
      differences: [],
      twiceCounted: 1,
    });
    expect(books({ kept: [copy(), copy()], lostAnswers: [mail.recipient] })).toMatchObject({
      differences: [],
      twiceCounted: 1,
    });
  });
});
