/** A mail as nodemailer writes and signs it: somebody else's arithmetic. */
import { generateKeyPairSync } from "node:crypto";
import { createTransport } from "nodemailer";

export interface KeyPair {
  readonly privateKey: string;
  /** The TXT record that publishes it. */
  readonly record: string;
}

export function makeKey(modulusLength = 2048): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
  const p = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  return {
    privateKey: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    record: `v=DKIM1; k=rsa; p=${p}`,
  };
}

/** @param textBytes about so many bytes of text, in ordinary lines */
export async function writeMail(
  from: string,
  to: string,
  { textBytes, signer }: { textBytes: number; signer?: { domain: string; selector: string; privateKey: string } },
): Promise<Buffer> {
  const line = "The quick brown fox jumps over the lazy dog, and nobody minds at all.\n";
  const transport = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  const { message } = await transport.sendMail({
    from,
    to,
    subject: "minutes of the meeting",
    text: line.repeat(Math.ceil(textBytes / line.length)),
    textEncoding: "quoted-printable",
    ...(signer && { dkim: { domainName: signer.domain, keySelector: signer.selector, privateKey: signer.privateKey } }),
  });
  return message as Buffer;
}
