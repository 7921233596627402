import type { Address } from "../../src/mail/address.ts";
import type { Content } from "../../src/mail/content.ts";
import type { Recipient, Sender, Session } from "../../src/mail/views.ts";

/** Values for tests of what comes after the doors. */
export function addressOf(text: string): Address {
  const at = text.lastIndexOf("@");
  return { local: text.slice(0, at), domain: text.slice(at + 1), text, key: text.toLowerCase() };
}

export const recipientOf = (text: string, more: Partial<Recipient> = {}): Recipient => ({
  address: addressOf(text),
  ...more,
});

export const senderOf = (text: string | null, more: Partial<Sender> = {}): Sender => ({
  address: text === null ? null : addressOf(text),
  eightBit: false,
  smtpUtf8: false,
  requireTls: false,
  ...more,
});

export const sessionOf = (more: Partial<Session> = {}): Session => ({
  id: "session-1",
  door: "smtp",
  role: "mx",
  clientIp: "192.0.2.7",
  clientPort: 40_025,
  serverIp: "127.0.0.1",
  serverPort: 25,
  helo: "client.example",
  inRelayNetworks: false,
  ...more,
});

/** A content in memory, or in pieces of `pieceBytes` as if it lay on disk. */
export function contentOf(bytes: Buffer | string, pieceBytes?: number): Content {
  const all = Buffer.from(bytes);
  const empty = all.indexOf("\r\n\r\n");
  return {
    bytes: all.length,
    header: empty < 0 ? all : all.subarray(0, empty + 4),
    async *read() {
      const size = pieceBytes ?? Math.max(1, all.length);
      for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
    },
    ...(pieceBytes === undefined ? { whole: all } : {}),
    async dispose() {},
  };
}
