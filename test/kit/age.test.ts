import { describe, expect, it } from "vitest";
import { encrypt, readRecipient } from "../../src/kit/age.ts";
import { collect } from "../contract/tables.ts";

// As age-keygen made it.
const RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

describe("a public key of age", () => {
  it("is read as its 32 bytes", () => {
    expect(readRecipient(RECIPIENT)).toHaveLength(32);
  });

  it("with any one letter another is none", () => {
    const wrong = [...RECIPIENT].flatMap((char, at) => {
      const other = RECIPIENT.slice(0, at) + (char === "q" ? "p" : "q") + RECIPIENT.slice(at + 1);
      return readRecipient(other) ? [other] : [];
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    "",
    "age1",
    RECIPIENT.toUpperCase(),
    `${RECIPIENT}q`,
    "ssh-ed25519 AAAA",
    RECIPIENT.replace("age1", "bge1"),
  ])("is not %j", (text) => {
    expect(readRecipient(text)).toBeUndefined();
  });
});

describe("an encrypted file", () => {
  it("has a header for its recipients and nothing of the text, and differs each time", async () => {
    const recipient = readRecipient(RECIPIENT) ?? Buffer.alloc(0);
    const [one, two] = await Promise.all(
      [1, 2].map(async () =>
        Buffer.concat(await collect(encrypt(pieces("who wrote ", "to whom"), [recipient, recipient]))),
      ),
    );
    const text = one?.toString("latin1") ?? "";
    expect(text).toMatch(/^age-encryption\.org\/v1\n(-> X25519 [\w+/]{43}\n[\w+/]{43}\n){2}--- [\w+/]{43}\n/);
    expect(text).not.toContain("whom");
    expect(one?.equals(two ?? Buffer.alloc(0))).toBe(false);
  });
});
