/**
 * A folder that is sealed: made under another name, private, with the hashes of all its files and a signature over them, encrypted when
 * that is wanted, and then put in its place in one step.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { encrypt } from "../kit/age.ts";
import { Misuse } from "../kit/trouble.ts";
import type { SealKey } from "../ledger/seal.ts";

export interface SealedFolder {
  /** SHA-256 of the list of hashes: names all that is in it. */
  readonly digest: string;
  readonly files: number;
}

export interface FolderOptions {
  readonly out: string;
  readonly key: SealKey;
  /** Public keys of age; none: the files stay readable. */
  readonly recipients: readonly Buffer[];
  /** Writes the files into an empty directory. */
  readonly fill: (dir: string) => Promise<void>;
  /** Called when all is done but the last step. */
  readonly beforeRelease: (sealed: SealedFolder) => Promise<void>;
}

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
const SUMS = "SHA256SUMS";
const HOW_TO_OPEN = "HOW-TO-OPEN.txt";

/** @throws Misuse when there is something at that place already */
export function needPlace(out: string): void {
  if (existsSync(out)) throw new Misuse(`--out ${out}: is there already`);
  if (!existsSync(dirname(out))) throw new Misuse(`--out ${out}: there is no directory ${dirname(out)}`);
}

export async function writeSealedFolder(options: FolderOptions): Promise<SealedFolder> {
  const { out, key, recipients, fill, beforeRelease } = options;
  needPlace(out);
  const draft = `${out}.unfinished-${process.pid}`;
  const plain = join(draft, "plain");
  try {
    await mkdir(plain, { recursive: true, mode: DIRECTORY_MODE });
    await fill(plain);
    const sealed = await sealFolder(plain, key);
    const whole = recipients.length === 0 ? plain : await encryptFolder(plain, join(draft, "encrypted"), recipients);
    await beforeRelease(sealed);
    needPlace(out);
    await rename(whole, out);
    return sealed;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Paths of all files in it, sorted, with "/" between. */
async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .sort();
}

async function sealFolder(dir: string, key: SealKey): Promise<SealedFolder> {
  await writeFile(join(dir, "public-key.pem"), key.publicPem, { mode: FILE_MODE });
  const names = await filesIn(dir);
  const lines: string[] = [];
  for (const name of names) lines.push(`${await sha256(join(dir, name))}  ${name}\n`);
  const sums = lines.join("");
  await writeFile(join(dir, SUMS), sums, { mode: FILE_MODE });
  await writeFile(join(dir, `${SUMS}.sig`), Buffer.from(key.sign(sums), "base64"), { mode: FILE_MODE });
  return { digest: createHash("sha256").update(sums).digest("hex"), files: names.length };
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

async function encryptFolder(from: string, to: string, recipients: readonly Buffer[]): Promise<string> {
  for (const name of await filesIn(from)) {
    const path = join(to, `${name}.age`);
    await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    const source = createReadStream(join(from, name));
    await pipeline(encrypt(source, recipients), createWriteStream(path, { mode: FILE_MODE }));
  }
  await writeFile(join(to, HOW_TO_OPEN), OPENING, { mode: FILE_MODE });
  return to;
}

/** What is typed to open an encrypted folder. */
const OPEN_COMMAND =
  'for f in $(find . -name "*.age"); do age --decrypt -i key.txt -o "$(dirname $f)/$(basename $f .age)" "$f"; done';

const OPENING = `这些文件以 age（age-encryption.org）加密。持有私钥 key.txt 者在本文件夹内执行以下命令即可打开，然后按 cover-sheet.txt 核对。
Các tệp này được mã hóa bằng age (age-encryption.org). Người giữ khóa riêng key.txt chạy lệnh sau trong thư mục này, rồi kiểm tra theo cover-sheet.txt.
These files are encrypted with age (age-encryption.org). Whoever holds the private key key.txt runs this in this folder, then follows cover-sheet.txt.

  ${OPEN_COMMAND}
`;
