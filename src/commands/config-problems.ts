/** Everything that is wrong with a configuration, found without starting anything. */
import { accessSync, constants, readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { type ReadConfig, readConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { inFileOrder } from "../config/yaml.ts";
import { Misuse } from "../kit/trouble.ts";
import { loadPacks } from "../law/packs.ts";
import { isRedisUrl, parseRedisUrl } from "../stores/redis/address.ts";
import { lawOf } from "./law.ts";

/** "file:line: key: what, and what was expected", in the order of the file. @throws Misuse when it cannot be read */
export function configProblems(path: string, env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const read = readConfig(path, env);
  if (read.file.problems.length > 0) return read.problems;
  return inFileOrder([
    ...read.problems,
    ...lawProblems(read),
    ...storeProblems(read),

    ...fileProblems(read),
  ]);
}

/** Rules, packs and what they demand; only of sections that are right in themselves. */
function lawProblems({ file, sound, unsound }: ReadConfig): readonly string[] {
  const { directory, ...builtIn } = sound.packs;
  const ownPacks = directory === undefined ? [] : problemsOf(() => loadPacks(directory));
  const packs = ownPacks.length > 0 ? builtIn : sound.packs;
  const found = problemsOf(() => lawOf({ config: { ...sound, packs }, file }));
  // A pack that is missing may be one that cannot be read.
  const unsure = unsound.has("packs") || ownPacks.length > 0;
  const certain = unsure ? found.filter((problem) => !/: (?:packs|ledger)\./.test(problem)) : found;
  return [...ownPacks.map((problem) => file.at(["packs", "directory"], problem)), ...certain];
}

/** What is wrong, in the words of who found it. */
function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    return error.problems.length > 0 ? error.problems : [error.message];
  }
}

const STORES = "embedded:, redis://, rediss://, redis+sentinel://h:p,h:p/name and redis+cluster://h:p,h:p";

/** A store that could not be opened, whatever runs there. */
function storeProblems({ file, sound: { store }, unsound }: ReadConfig): string[] {
  const { url } = store;
  if (unsound.has("store") || url === "memory:" || url.startsWith("embedded:")) return [];
  const says = isRedisUrl(url) ? redisProblem(url) : "there is no such store";
  return says === undefined ? [] : [file.at(["store", "url"], `${says}; accepted are ${STORES}`)];
}

function redisProblem(url: string): string | undefined {
  try {
    parseRedisUrl(url);
    return undefined;
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    const [first = ""] = error.message.split("\n");
    return first.replace(/^store\.url: |; accepted are:$/g, "");
  }
}

/** Files the server would fail on when it starts. */
function fileProblems({ file, sound, unsound }: ReadConfig): string[] {
  const { secretFile, nextHop, tls, ledger } = sound;
  const named = [
    ...(secretFile === undefined ? [] : [{ key: ["secretFile"], path: secretFile }]),
    ...(ledger.sealKeyFile === undefined ? [] : [{ key: ["ledger", "sealKeyFile"], path: ledger.sealKeyFile }]),
    ...(nextHop.passwordFile === undefined ? [] : [{ key: ["nextHop", "passwordFile"], path: nextHop.passwordFile }]),
    ...(tls
      ? [
          { key: ["tls", "certFile"], path: tls.certFile },
          { key: ["tls", "keyFile"], path: tls.keyFile },
        ]
      : []),
  ];
  const unreadable = [...named, ...listFiles(sound), ...routeFiles(sound)].flatMap(({ key, path }) => {
    const reason = unreadableReason(path);
    return reason === undefined ? [] : [{ key, text: file.at(key, `cannot read ${path}: ${reason}`) }];
  });
  const certificate = tls && !unsound.has("tls") && !unreadable.some(({ key }) => key[0] === "tls");
  const mismatch = certificate ? certificateProblem(tls) : undefined;
  return [...unreadable.map(({ text }) => text), ...(mismatch === undefined ? [] : [file.at(["tls"], mismatch)])];
}

const listFiles = ({ lists }: Config): { key: string[]; path: string }[] =>
  lists.flatMap(({ file: path }, index) =>
    path === undefined ? [] : [{ key: ["lists", String(index), "file"], path }],
  );

const routeFiles = ({ routes }: Config): { key: string[]; path: string }[] =>
  routes.flatMap(({ caFile, passwordFile }, index) => [
    ...(caFile === undefined ? [] : [{ key: ["routes", String(index), "caFile"], path: caFile }]),
    ...(passwordFile === undefined ? [] : [{ key: ["routes", String(index), "passwordFile"], path: passwordFile }]),
  ]);

function unreadableReason(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function certificateProblem({ certFile, keyFile }: NonNullable<Config["tls"]>): string | undefined {
  try {
    createSecureContext({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
    return undefined;
  } catch (error) {
    return `certFile and keyFile do not make a certificate: ${(error as Error).message}`;
  }
}
