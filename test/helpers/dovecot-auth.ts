/** Enough of the Dovecot authentication protocol (version 1.1) for Postfix's smtpd to offer and check AUTH PLAIN. */
import { chmodSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

export type Authenticate = (login: string, password: string) => Promise<boolean>;

export interface AuthServer {
  readonly path: string;
  stop(): Promise<void>;
}

/** Listens on a unix socket that everybody may use. */
export async function startAuthServer(path: string, authenticate: Authenticate): Promise<AuthServer> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(
      "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef0123456789abcdef\nDONE\n",
    );
    createInterface({ input: socket }).on("line", (line) => {
      const [command, id, , ...params] = line.split("\t");
      if (command !== "AUTH") return;
      const response = params.find((param) => param.startsWith("resp="))?.slice("resp=".length) ?? "";
      const [, login = "", password = ""] = Buffer.from(response, "base64").toString().split("\0");
      authenticate(login, password).then(
        (right) => socket.write(right ? `OK\t${id}\tuser=${login}\n` : `FAIL\t${id}\tuser=${login}\n`),
        () => socket.write(`FAIL\t${id}\ttemp\n`),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o666);
  return { path, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}
