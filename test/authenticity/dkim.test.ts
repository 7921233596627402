import { describe, expect, it } from "vitest";
import { makeKey, writeMail } from "../../scripts/bench/lib/signed-mail.ts";
import { verifyDkim } from "../../src/authenticity/dkim/verify.ts";
import { Headers } from "../../src/mail/headers.ts";
import { NOW_MS } from "../helpers/described.ts";
import { namesOf } from "../helpers/names.ts";

const key = makeKey();
const small = makeKey(512);
const dns = [
  `s._domainkey.sender.example TXT ${key.record}`,
  `small._domainkey.sender.example TXT ${small.record}`,
  "revoked._domainkey.sender.example TXT v=DKIM1; p=",
  "rubbish._domainkey.sender.example TXT v=DKIM1; p=AAAA",
  "slow._domainkey.sender.example silence",
  `same._domainkey.sender.example TXT t=s; ${key.record.replace("v=DKIM1; ", "")}`,
  `s._domainkey.other.example TXT ${key.record}`,
];

interface Signing {
  readonly selector?: string;
  readonly privateKey?: string;
  readonly domain?: string;
}

const signed = (more: Signing = {}): Promise<Buffer> =>
  writeMail("Bob <bob@sender.example>", "ann@example.com", {
    textBytes: 500,
    signer: { domain: "sender.example", selector: "s", privateKey: key.privateKey, ...more },
  });

function mailOf(bytes: Buffer) {
  const end = bytes.indexOf("\r\n\r\n") + 4;
  const block = bytes.subarray(0, end);
  return { block, headers: Headers.parse(block), body: bytes.subarray(end) };
}

async function verdicts(
  bytes: Buffer,
  more: { nowMs?: number; signaturesMax?: number; first?: string } = {},
): Promise<string[]> {
  const outcomes = await verifyDkim(namesOf(dns), mailOf(bytes), { nowMs: NOW_MS, signaturesMax: 10, ...more });
  return outcomes.map(({ result, because }) => (because === undefined ? result : `${result}: ${because}`));
}

const changed = (bytes: Buffer, from: string | RegExp, to: string): Buffer =>
  Buffer.from(bytes.toString("latin1").replace(from, to), "latin1");

describe("DKIM", () => {
  it("passes what another program signed", async () => {
    expect(await verdicts(await signed())).toEqual(["pass"]);
  });

  it("passes the same when the body comes in pieces of any size", async () => {
    const mail = mailOf(await signed());
    for (const size of [1, 2, 7, 64]) {
      const pieces = async function* () {
        for (let at = 0; at < mail.body.length; at += size) yield mail.body.subarray(at, at + size);
      };
      const [outcome] = await verifyDkim(namesOf(dns), { ...mail, body: pieces }, { nowMs: NOW_MS, signaturesMax: 10 });
      expect(outcome?.result, `pieces of ${size}`).toBe("pass");
    }
  });

  it.each([
    ["a changed body", /quick/, "slow", "fail: the body was changed"],
    ["a changed Subject", /^Subject: .*$/m, "Subject: pay now", "fail: the signature does not fit"],
    ["a changed From", /bob@sender/, "boss@sender", "fail: the signature does not fit"],
    ["a hash that is no base64", /bh=[^;]*/, "bh=!", "neutral: b= or bh= is not base64"],
    ["another version", /v=1;/, "v=2;", "neutral: not version 1"],
    ["a tag twice", /v=1;/, "v=1; v=1;", "neutral: a syntax error in the signature"],
    ["From not signed", /h=from:/, "h=", "neutral: From is not signed"],
    ["a foreign identity", /v=1;/, "v=1; i=@other.example;", "neutral: i= is not of d="],
    ["an end in the past", /v=1;/, "v=1; x=1000000000;", "neutral: the signature has expired"],
    ["a beginning in the future", /v=1;/, "v=1; t=9999999999;", "neutral: the signature is from the future"],
    ["l= longer than the body", /v=1;/, "v=1; l=99999;", "fail: l= is longer than the body"],
    ["an algorithm nobody knows", /a=rsa-sha256/, "a=rsa-md5", "neutral: an algorithm nobody knows"],
    ["a hash of another age", /a=rsa-sha256/, "a=rsa-sha1", "permerror: rsa-sha1 proves nothing any more"],
    ["a key that is gone", /s=s;/, "s=gone;", "permerror: no key in DNS"],
    ["a key that was revoked", /s=s;/, "s=revoked;", "permerror: the key is revoked"],
    ["a key that is none", /s=s;/, "s=rubbish;", "permerror: the key is broken"],
    ["silence about the key", /s=s;/, "s=slow;", "temperror: DNS does not answer"],
  ])("does not pass %s", async (_, from, to, expected) => {
    expect(await verdicts(changed(await signed(), from, to))).toEqual([expected]);
  });

  it("does not pass a key that is too short", async () => {
    const mail = await signed({ selector: "small", privateKey: small.privateKey });
    expect(await verdicts(mail)).toEqual(["permerror: a key of 512 bits"]);
  });

  it("does not pass what somebody put above the signed From", async () => {
    const mail = await signed();
    expect(await verdicts(Buffer.concat([Buffer.from("From: boss@bank.example\r\n"), mail]))).toEqual(["pass"]);
    expect(await verdicts(changed(mail, /^From: .*\r\n/m, "$&From: boss@bank.example\r\n"))).toEqual([
      "fail: the signature does not fit",
    ]);
  });

  it("finds the author's signature among a hundred others, and checks no more than it may", async () => {
    const rubbish = Array.from(
      { length: 100 },
      (_, n) => `DKIM-Signature: v=1; a=rsa-sha256; d=spam${n}.example; s=x; h=from; bh=aGk=; b=aGk=\r\n`,
    ).join("");
    const mail = Buffer.concat([Buffer.from(rubbish), await signed()]);
    const asked: string[] = [];
    const outcomes = await verifyDkim(namesOf(dns, asked), mailOf(mail), {
      nowMs: NOW_MS,
      signaturesMax: 10,
      first: "sender.example",
    });
    expect(outcomes).toHaveLength(10);
    expect(outcomes[0]?.result).toBe("pass");
    expect(asked.length).toBeLessThanOrEqual(10);
  });

  it("answers ten thousand names in h= at once", async () => {
    const names = Array.from({ length: 10_000 }, (_, n) => `x${n}`).join(":");
    const began = performance.now();
    expect(await verdicts(changed(await signed(), /h=from:/, `h=${names}:from:`))).toEqual([
      "neutral: more than 10000 names in h=",
    ]);
    expect(await verdicts(changed(await signed(), /h=from:/, `h=${names.slice(0, 50_000)}:from:`))).toEqual([
      "fail: the signature does not fit",
    ]);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it("reads a quarter of a megabyte of blanks in no time, wherever they stand", async () => {
    const blanks = " ".repeat(250_000);
    const began = performance.now();
    for (const text of [
      `v=1; a=${blanks}rsa-sha256${blanks}x;`,
      `v=1${blanks};${blanks}`,
      `v=1; h${blanks}=from${blanks}:to;`,
      `v=1; b${blanks}`,
    ]) {
      await verdicts(changed(await signed(), /v=1;/, text));
    }
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it("does no arithmetic with a key of 16,384 bits", async () => {
    // An RSA key that large takes minutes to make: its number need not be a good one to be too long.
    const modulus = Buffer.concat([Buffer.from([0, 0xc1]), Buffer.alloc(2046, 0x5a), Buffer.from([0x5b])]);
    const der = (tag: number, ...parts: Buffer[]): Buffer => {
      const body = Buffer.concat(parts);
      return Buffer.concat([Buffer.from([tag, 0x82, body.length >> 8, body.length & 255]), body]);
    };
    const bytes = der(0x30, der(0x02, modulus), Buffer.from([2, 3, 1, 0, 1]));
    const names = namesOf([`s._domainkey.sender.example TXT v=DKIM1; p=${bytes.toString("base64")}`]);
    const outcomes = await verifyDkim(names, mailOf(await signed()), { nowMs: NOW_MS, signaturesMax: 10 });
    expect(outcomes).toMatchObject([{ result: "permerror", because: "a key of 16384 bits" }]);
  });
});
