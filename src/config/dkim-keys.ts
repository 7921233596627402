/** Keys that sign our clients' mail: files that an operator names, and those that consentry dkim made (directory/domain/selector.pem). */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Misuse } from "../kit/trouble.ts";
import { makeOnce } from "./made-once.ts";
import type { Config } from "./schema.ts";

export type KeyType = "rsa" | "ed25519";

export interface DkimKey {
  readonly domain: string;
  readonly selector: string;
  readonly type: KeyType;
  readonly file: string;
  readonly key: KeyObject;
  /** It lies in the directory, so that commands may remove it. */
  readonly isOurs: boolean;
}

/** A shorter one is no proof to many (RFC 8301 3.2). */
const RSA_BITS = 2048;
const RSA_BITS_MIN = 1024;

type Section = Pick<Config, "dkim" | "dataDir">;

const dkimDirectory = ({ dkim, dataDir }: Section): string => dkim.directory ?? join(dataDir, "dkim");

/** All keys, by domain and selector. @throws Misuse naming the file that cannot be used */
export function readDkimKeys(config: Section): DkimKey[] {
  const named = config.dkim.keys.map(({ domain, selector, keyFile }) =>
    readOne({ domain, selector, file: keyFile }, false),
  );
  const directory = dkimDirectory(config);
  const found = namesIn(directory).flatMap((domain) =>
    namesIn(join(directory, domain))
      .filter((name) => name.endsWith(".pem"))
      .map((name) => readOne({ domain, selector: name.slice(0, -4), file: join(directory, domain, name) }, true)),
  );
  return [...named, ...found].sort((a, b) => order(a) - order(b) || compare(a, b));
}

/** Ed25519 last: what knows it takes the last that passes, what does not has RSA first. */
const order = ({ type }: DkimKey): number => (type === "rsa" ? 0 : 1);
const compare = (a: DkimKey, b: DkimKey): number =>
  `${a.domain} ${a.selector}` < `${b.domain} ${b.selector}` ? -1 : 1;

function namesIn(directory: string): string[] {
  return existsSync(directory) && statSync(directory).isDirectory() ? readdirSync(directory).sort() : [];
}

function readOne({ domain, selector, file }: Pick<DkimKey, "domain" | "selector" | "file">, isOurs: boolean): DkimKey {
  try {
    const key = createPrivateKey(readFileSync(file));
    const type = key.asymmetricKeyType;
    if (type === "ed25519") return { domain, selector, file, key, isOurs, type };
    if (type !== "rsa") throw new Error("expected an RSA or Ed25519 key");
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < RSA_BITS_MIN) throw new Error("an RSA key that is too short");
    return { domain, selector, file, key, isOurs, type };
  } catch (error) {
    throw new Misuse(`the DKIM key ${file}: ${(error as Error).message}`);
  }
}

/** Makes a key, readable by its owner only. @throws Misuse when there is one already */
export function makeDkimKey(
  config: Section,
  { domain, selector, type }: Pick<DkimKey, "domain" | "selector" | "type">,
): DkimKey {
  const file = join(dkimDirectory(config), domain, `${selector}.pem`);
  if (existsSync(file)) throw new Misuse(`there is a key already: ${file}`);
  const pair =
    type === "rsa" ? generateKeyPairSync("rsa", { modulusLength: RSA_BITS }) : generateKeyPairSync("ed25519");
  makeOnce(file, () => pair.privateKey.export({ type: "pkcs8", format: "pem" }));
  return readOne({ domain, selector, file }, true);
}

export const removeDkimKey = ({ file }: DkimKey): void => rmSync(file);
