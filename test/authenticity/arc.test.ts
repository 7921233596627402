import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEALED_NAMES, type Sealer, sealArc } from "../../src/authenticity/arc/seal.ts";
import { readSets } from "../../src/authenticity/arc/sets.ts";
import { type ArcOutcome, verifyArc } from "../../src/authenticity/arc/verify.ts";
import { claimedResults, writeResults } from "../../src/authenticity/results.ts";
import { Headers } from "../../src/mail/headers.ts";
import { headersOf, NOW_MS } from "../helpers/described.ts";
import { namesOf } from "../helpers/names.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ed25519 = generateKeyPairSync("ed25519");
const spki = (key: typeof rsa.publicKey): Buffer => key.export({ type: "spki", format: "der" });
const names = namesOf([
  `s._domainkey.one.example TXT k=rsa; p=${spki(rsa.publicKey).toString("base64")}`,
  `s._domainkey.two.example TXT k=ed25519; p=${spki(ed25519.publicKey).subarray(-32).toString("base64")}`,
]);
const ONE: Sealer = { domain: "one.example", selector: "s", key: rsa.privateKey };
const TWO: Sealer = { domain: "two.example", selector: "s", key: ed25519.privateKey };

const LETTER = "From: bob@sender.example\r\nSubject: hi\r\nDate: Sun, 22 Nov 2026 07:30:00 +0000\r\n\r\n";

function mailOf(header: string, body = "hello\r\n") {
  const block = Buffer.from(header);
  return { block, headers: Headers.parse(block), body: Buffer.from(body) };
}

async function sealed(header: string, sealer: Sealer, chain?: ArcOutcome): Promise<string> {
  const mail = mailOf(header);
  const fields = await sealArc(mail, {
    sealer,
    chain: chain ?? (await verifyArc(names, mail)),
    results: `${sealer.domain}; spf=pass`,
    signedNames: SEALED_NAMES,
    nowMs: NOW_MS,
  });
  return fields.map(({ name, value }) => `${name}: ${value}\r\n`).join("") + header;
}

/** One character a byte, as headers and records are read. */
const anyBytes = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

describe("ARC", () => {
  it("is sealed by one station after the other, with keys of either kind, and holds", async () => {
    const twice = await sealed(await sealed(LETTER, ONE), TWO);
    expect(await verifyArc(names, mailOf(twice))).toMatchObject({ result: "pass", sealer: "two.example" });
  });

  it.each([
    ["a changed body", (mail: string) => mailOf(mail, "pay now\r\n")],
    ["a changed Subject", (mail: string) => mailOf(mail.replace("hi", "ho"))],
    [
      "results that were changed",
      (mail: string) => mailOf(mail.replace("one.example; spf=pass", "one.example; dmarc=pass")),
    ],
    ["a seal taken away", (mail: string) => mailOf(mail.replace(/ARC-Seal: .*\r\n/, ""))],
    ["a set twice", (mail: string) => mailOf(mail.replace(/ARC-Seal: .*\r\n/, "$&$&"))],
    ["a number out of order", (mail: string) => mailOf(mail.replaceAll("i=2;", "i=3;"))],
  ])("does not hold with %s", async (_, change) => {
    const twice = await sealed(await sealed(LETTER, ONE), TWO);
    expect((await verifyArc(names, change(twice))).result).toBe("fail");
  });

  it("is not known while DNS is silent", async () => {
    const mail = mailOf(await sealed(LETTER, ONE));
    const silent = namesOf(["s._domainkey.one.example silence"]);
    expect((await verifyArc(silent, mail)).result).toBe("temperror");
  });

  it("is marked as broken by the one who finds it so, and sealed no more", async () => {
    const broken = (await sealed(LETTER, ONE)).replace("hi", "ho");
    const marked = await sealed(broken, TWO);
    expect(marked).toContain("cv=fail");
    expect((await verifyArc(names, mailOf(marked))).result).toBe("fail");
    expect(await sealed(marked, ONE)).toBe(marked);
  });

  it("is read in no time, whatever the fields", () => {
    const fields = Array.from({ length: 2000 }, (_, n) => `ARC-Seal: i=${n % 60}; cv=none; b=aa`).join("\r\n");
    const began = performance.now();
    expect(readSets(headersOf(fields))).toHaveProperty("because");
    expect(performance.now() - began).toBeLessThan(500);
    fc.assert(
      fc.property(anyBytes, (text) => {
        const headers = Headers.parse(
          Buffer.from(
            `ARC-Seal: i=1;${text}\r\nARC-Authentication-Results: ${text}\r\nAuthentication-Results:${text}\r\n\r\n`,
            "latin1",
          ),
        );
        readSets(headers);
        claimedResults(headers, "relay.example.net");
      }),
    );
  });
});

describe("Authentication-Results", () => {
  it("is one field, whatever stands in it", () => {
    fc.assert(
      fc.property(anyBytes, (text) => {
        const value = writeResults("relay.example.net", [
          { method: "dkim", result: "fail", comment: text, reason: text, properties: { "header.d": text } },
        ]);
        const headers = Headers.parse(Buffer.from(`Authentication-Results: ${value}\r\n\r\n`, "latin1"));
        expect(headers.fields).toHaveLength(1);
        expect(claimedResults(headers, "Relay.Example.NET")).toHaveLength(1);
      }),
    );
  });
});
