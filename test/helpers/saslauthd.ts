/** What Cyrus SASL's saslauthd answers on its socket: counted strings in (login, password, service, realm), "OK" or "NO" out. */
import { createServer } from "node:net";
import type { Authenticate, AuthServer } from "./dovecot-auth.ts";

export async function startSaslauthd(path: string, authenticate: Authenticate): Promise<AuthServer> {
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (piece: Buffer) => {
      received = Buffer.concat([received, piece]);
      const [login, password, , realm] = countedStrings(received);
      if (realm === undefined) return;
      authenticate(login ?? "", password ?? "").then(
        (right) => socket.end(counted(right ? "OK" : "NO")),
        () => socket.end(counted("NO")),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { path, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

function countedStrings(bytes: Buffer): string[] {
  const strings: string[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) break;
    strings.push(bytes.toString("utf8", at + 2, end));
    at = end;
  }
  return strings;
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(`\0\0${text}`);
  bytes.writeUInt16BE(text.length);
  return bytes;
}
