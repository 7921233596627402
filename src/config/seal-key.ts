import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Misuse } from "../kit/trouble.ts";
import { makeOnce } from "./made-once.ts";
import type { Config } from "./schema.ts";

const makeKey = (): string =>
  generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();

/**
 * The key that signs days and exports (Ed25519, PKCS #8 PEM): `ledger.sealKey`, else read from `ledger.sealKeyFile`, else made once in
 * `dataDir`.
 * @throws Misuse when it cannot be read or is no such key; it never repeats a piece of it
 */
export function readSealKey({ ledger, dataDir }: Pick<Config, "ledger" | "dataDir">): string {
  const { sealKey, sealKeyFile } = ledger;
  const path = sealKeyFile ?? join(dataDir, "seal-key.pem");
  const source = sealKey === undefined ? path : "ledger.sealKey";
  try {
    if (sealKey === undefined && sealKeyFile === undefined && !existsSync(path)) makeOnce(path, makeKey);
    // Who carries a PEM in a variable often has to write its line ends as "\n".
    const pem = sealKey?.replaceAll("\\n", "\n") ?? readFileSync(path, "utf8");
    if (isEd25519(pem)) return pem;
  } catch (error) {
    throw new Misuse(`cannot read the seal key ${source}: ${(error as NodeJS.ErrnoException).code ?? "unreadable"}`);
  }
  throw new Misuse(
    `the seal key ${source} is no Ed25519 key in PKCS #8 PEM; one is made with: openssl genpkey -algorithm ed25519`,
  );
}

function isEd25519(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === "ed25519";
  } catch {
    return false;
  }
}
