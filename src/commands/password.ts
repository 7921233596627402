/** Passwords come from a file, from stdin or from the keyboard without echo; never from the command line, which others see. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { Misuse } from "../kit/trouble.ts";
import { Refused } from "./output.ts";

const BYTES_MAX = 1_024;

export interface PasswordSource {
  readonly passwordFile?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
  readonly passwordPrompt?: boolean | undefined;
}

/**
 * The password, without the line end behind it. undefined: none of the sources is named.
 * @throws Misuse, Refused
 */
export async function readPassword(source: PasswordSource): Promise<string | undefined> {
  const named = [source.passwordFile !== undefined, source.passwordStdin, source.passwordPrompt].filter(Boolean);
  if (named.length > 1) throw new Misuse("give one of --password-file, --password-stdin and --password-prompt");
  if (source.passwordFile !== undefined) return readAll(createReadStream(source.passwordFile), source.passwordFile);
  if (source.passwordStdin) return readAll(process.stdin, "stdin");
  return source.passwordPrompt ? ask() : undefined;
}

async function readAll(stream: AsyncIterable<Buffer>, name: string): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of stream) {
      bytes += piece.length;
      if (bytes > BYTES_MAX) break;
      pieces.push(piece);
    }
  } catch (error) {
    throw new Misuse(`cannot read the password from ${name}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
  if (bytes > BYTES_MAX) throw new Misuse(`${name} holds more than ${BYTES_MAX} bytes: that is no password`);
  return checked(
    Buffer.concat(pieces)
      .toString("utf8")
      .replace(/\r?\n$/, ""),
    name,
  );
}

function checked(password: string, name: string): string {
  if (password === "") throw new Misuse(`${name} holds no password`);
  if (/[\x00-\x1f\x7f]/.test(password)) {
    throw new Misuse(`the password from ${name} has more than one line, or control characters`);
  }
  return password;
}

/** Twice, without echo. */
async function ask(): Promise<string> {
  if (!process.stdin.isTTY) throw new Misuse("--password-prompt needs a terminal; elsewhere use --password-stdin");
  const dark = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: dark, terminal: true, historySize: 0 });
  const interrupted = new Promise<never>((_, reject) => {
    lines.once("SIGINT", () => reject(new Refused("nothing was changed")));
    lines.once("close", () => reject(new Refused("nothing was changed")));
  });
  const askOnce = async (prompt: string): Promise<string> => {
    process.stderr.write(prompt);
    const answer = await Promise.race([lines.question(""), interrupted]);
    process.stderr.write("\n");
    return answer;
  };
  try {
    const password = checked(await askOnce("password: "), "the terminal");
    if ((await askOnce("once more: ")) !== password) throw new Refused("the two differ; nothing was changed");
    return password;
  } finally {
    interrupted.catch(() => undefined);
    lines.close();
  }
}
