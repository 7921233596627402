/** Our DKIM signatures before somebody else's verifier (dkimpy). One command: vitest run test/real/dkim-independent.test.ts */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { recordName, recordText } from "../../src/authenticity/dkim/publish.ts";
import { type Signer, signDkim } from "../../src/authenticity/dkim/sign.ts";
import { Headers } from "../../src/mail/headers.ts";

const PYTHON = "/usr/bin/python3";
const isHere = spawnSync(PYTHON, ["-c", "import dkim, nacl"]).status === 0;

/** Verifies each signature on its own; prints one word a line. */
const VERIFIER = `
import sys, json, dkim
task = json.load(sys.stdin)
for mail in task["mails"]:
    message = mail.encode("latin-1")
    checker = dkim.DKIM(message)
    for index in range(task["signatures"]):
        try:
            print(checker.verify(idx=index, dnsfunc=lambda name, timeout=5: task["records"][name.decode().rstrip(".")].encode()))
        except dkim.ValidationError:
            print(False)
`;

const signers: readonly Signer[] = [
  { domain: "shop.example", selector: "r", key: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey },
  { domain: "shop.example", selector: "e", key: generateKeyPairSync("ed25519").privateKey },
];

async function signed(header: string, body: Buffer): Promise<string> {
  const block = Buffer.from(`${header.replace(/\n/g, "\r\n")}\r\n\r\n`);
  const values = await signDkim({ block, headers: Headers.parse(block), body }, signers, Date.now());
  const fields = values.map((value) => `DKIM-Signature: ${value}\r\n`).join("");
  return Buffer.concat([Buffer.from(fields), block, body]).toString("latin1");
}

function verified(mails: readonly string[]): string[] {
  const records = Object.fromEntries(signers.map((signer) => [recordName(signer), recordText(signer)]));
  const input = JSON.stringify({ mails, records, signatures: signers.length });
  const { stdout, stderr } = spawnSync(PYTHON, ["-c", VERIFIER], { input, timeout: 60_000, encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.trim().split("\n");
}

describe.skipIf(!isHere)("dkimpy (python3-dkim)", () => {
  it("takes our signatures, RSA and Ed25519, of mails of many shapes", async () => {
    const plain =
      "From: news@shop.example\nTo: ann@example.com,\n  ben@example.com\nSubject:  AD   sale \nDate: Sun, 22 Nov 2026 07:30:00 +0000";
    const twice = `${plain}\nCc: x@example.com\nCc: y@example.com\nList-Unsubscribe: <https://a.example/1>`;
    const bodies = ["", "\r\n", "hello\r\n", "a  b \r\n\r\n\tc\r\n\r\n\r\n", "no end", `${"x".repeat(990)}\r\n`].map(
      (text) => Buffer.from(text),
    );
    const bytes = Buffer.from(randomBytes(5000).map((byte) => (byte === 10 || byte === 13 || byte === 0 ? 32 : byte)));
    const mails = await Promise.all(
      [plain, twice].flatMap((header) => [...bodies, bytes].map((body) => signed(header, body))),
    );
    expect(verified(mails)).toEqual(mails.flatMap(() => ["True", "True"]));
  });

  it("does not take them when the mail was changed", async () => {
    const mail = await signed("From: news@shop.example\nSubject: AD sale", Buffer.from("hello\r\n"));
    expect(
      verified([mail.replace("hello", "hallo"), mail.replace("\r\nSubject", "\r\nFrom: b@bank.example\r\nSubject")]),
    ).toEqual(Array(4).fill("False"));
  });
});
