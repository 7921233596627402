import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { recordName, recordText, zoneLine } from "../../src/authenticity/dkim/publish.ts";
import { type Signer, signDkim } from "../../src/authenticity/dkim/sign.ts";
import { verifyDkim } from "../../src/authenticity/dkim/verify.ts";
import { Headers } from "../../src/mail/headers.ts";
import { NOW_MS } from "../helpers/described.ts";
import { namesOf } from "../helpers/names.ts";

const signers: readonly Signer[] = [
  { domain: "shop.example", selector: "r", key: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey },
  { domain: "shop.example", selector: "e", key: generateKeyPairSync("ed25519").privateKey },
];
const names = namesOf(signers.map((signer) => `${recordName(signer)} TXT ${recordText(signer)}`));

function mailOf(text: string) {
  const bytes = Buffer.from(text.replace(/\n/g, "\r\n"));
  const end = bytes.indexOf("\r\n\r\n") + 4;
  const block = bytes.subarray(0, end);
  return { block, headers: Headers.parse(block), body: bytes.subarray(end) };
}

const TEXT = [
  "From: =?utf-8?B?5bqX?= <news@shop.example>",
  "To: ann@example.com,",
  "\tben@example.com",
  "Subject:   AD  Summer sale  ",
  "Date: Sun, 22 Nov 2026 07:30:00 +0000",
  "List-Unsubscribe: <https://relay.example.net/u/1>",
  "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
  "",
  "hello  world ",
  "",
  "grüße",
  "",
  "",
].join("\n");

async function signed(text = TEXT): Promise<string> {
  const values = await signDkim(mailOf(text), signers, NOW_MS);
  return values.map((value) => `DKIM-Signature: ${value.replace(/\r\n/g, "\n")}\n`).join("") + text;
}

const results = async (text: string): Promise<string[]> =>
  (await verifyDkim(names, mailOf(text), { nowMs: NOW_MS, signaturesMax: 10 })).map(({ result }) => result);

describe("signing", () => {
  it("with RSA and Ed25519 verifies, in lines of at most 78 characters", async () => {
    const text = await signed();
    expect(await results(text)).toEqual(["pass", "pass"]);
    const own = text.slice(0, text.indexOf("From:")).split("\n");
    expect(Math.max(...own.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text).toMatch(/list-unsubscribe:[\s\S]*list-unsubscribe-post/);
  });

  it.each([
    ["the body", "hello", "hallo"],
    ["the Subject", "Summer", "Winter"],
    ["the way to refuse", "/u/1", "/u/2"],
    ["the author", "news@", "boss@"],
  ])("shows when somebody changes %s", async (_, from, to) => {
    expect(await results((await signed()).replace(from, to))).toEqual(["fail", "fail"]);
  });

  it.each([
    "From: boss@bank.example",
    "Subject: other",
    "List-Unsubscribe: <https://evil.example>",
    "Reply-To: a@b.example",
  ])("shows when somebody adds %s", async (line) => {
    expect(await results((await signed()).replace("\nTo:", `\n${line}\nTo:`))).toEqual(["fail", "fail"]);
  });

  it("leaves out blanks and empty lines that other servers change", async () => {
    const text = (await signed())
      .replace("hello  world ", "hello world")
      .replace(/\n+$/, "\n")
      .replace("   AD  ", " AD ");
    expect(await results(text)).toEqual(["pass", "pass"]);
  });

  it("signs a mail without a body, and one of one line", async () => {
    for (const text of ["From: a@shop.example\n\n", "From: a@shop.example\n\nx", "From: a@shop.example\n\n\n\n"]) {
      expect(await results(await signed(text))).toEqual(["pass", "pass"]);
    }
  });
});

it("a record is published in pieces that TXT can hold", () => {
  const [rsa, ed] = signers.map(zoneLine);
  expect(rsa).toMatch(/^r\._domainkey\.shop\.example\. IN TXT \( "v=DKIM1; k=rsa; p=[^"]{200,255}" "[^"]+" \)$/);
  expect(ed).toMatch(/^e\._domainkey\.shop\.example\. IN TXT "v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}="$/);
});
