import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { freePort, installed, startNode, startProgram } from "../helpers/process.ts";
import { hasRedis } from "../helpers/redis.ts";
import { tempDir } from "../helpers/temp.ts";

const CHILD = fileURLToPath(new URL("../helpers/store-child.ts", import.meta.url));

/** A key and a certificate that vouches for itself. */
function certificate(dir: string): { key: string; cert: string } {
  const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=redis.test"];
  const names = ["-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", [...request, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key, cert };
}

describe.skipIf(!hasRedis || !installed("openssl"))("Redis over TLS (needs redis-server with TLS, and openssl)", () => {
  let port = 0;
  let cert = "";
  beforeAll(async () => {
    const dir = tempDir();
    port = await freePort();
    const made = certificate(dir);
    cert = made.cert;
    const tls = [
      "--tls-port",
      String(port),
      "--tls-cert-file",
      cert,
      "--tls-key-file",
      made.key,
      "--tls-auth-clients",
      "no",
    ];
    const server = await startProgram("redis-server", [
      "--bind",
      "127.0.0.1",
      "--port",
      "0",
      "--save",
      "",
      "--dir",
      dir,
      ...tls,
    ]);
    await server.waitForLine(/Ready to accept connections/);
  });

  async function use(url: string, trusted: boolean): Promise<string> {
    const child = await startNode(CHILD, [url], trusted ? { env: { NODE_EXTRA_CA_CERTS: cert } } : {});
    await child.exited;
    return child.lines.join("\n");
  }

  it("works with a certificate the machine trusts (NODE_EXTRA_CA_CERTS)", async () => {
    expect(await use(`rediss://127.0.0.1:${port}`, true)).toBe("works");
  });

  it("is unavailable with a certificate nobody vouches for", async () => {
    expect(await use(`rediss://127.0.0.1:${port}`, false)).toMatch(/^Unavailable: .*self-signed certificate/);
  });

  it("is unavailable when spoken to in the clear", async () => {
    expect(await use(`redis://127.0.0.1:${port}`, true)).toMatch(/^Unavailable: /);
  });
});
