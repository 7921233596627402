/**
 * Reads packs from config/packs/*.yaml. A pack that is wrong anywhere is not used at all: every error of every file is
 * listed at once, with file, line, key, value and what was expected, and whoever is running keeps what it had.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { explainAll, firstOf, parseYaml, type YamlFile } from "../config/yaml.ts";
import { Misuse } from "../kit/trouble.ts";
import { type Pack, packSchema } from "./pack.ts";
import { contradictions } from "./pack-checks.ts";

/** Far more than any law needs; a larger file is not a pack. */
const FILE_BYTES_MAX = 1_048_576;

/** A pack, or what is wrong with its file. */
export interface CheckedPack {
  readonly pack?: Pack;
  /** "file:line: key: what, and what was expected"; empty when there is a pack. */
  readonly problems: readonly string[];
}

const OWN_PACKS = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "config", "packs");

/**
 * The packs that come with consentry, and those of `packs.directory`, which may take their place.
 * @throws Misuse listing every error of every file
 */
export const knownPacks = (directory: string | undefined): ReadonlyMap<string, Pack> =>
  new Map([...loadPacks(OWN_PACKS), ...(directory === undefined ? [] : loadPacks(directory))]);

/**
 * All packs of a directory by id.
 * @throws Misuse listing every error of every file
 */
export function loadPacks(directory: string): ReadonlyMap<string, Pack> {
  const checked = packFiles(directory).map((name) => checkPackFile(join(directory, name)));
  const problems = checked.flatMap((file) => file.problems);
  if (problems.length > 0) throw new Misuse(`the packs of ${directory} cannot be used:`, problems);
  return new Map(checked.flatMap(({ pack }) => (pack ? [[pack.id, pack] as const] : [])));
}

/** Reads and checks one file: its YAML, the schema, then what it says against itself. Never throws. */
export function checkPackFile(path: string): CheckedPack {
  const file = readYamlFile(path);
  if ("problem" in file) return { problems: [file.problem] };
  if (file.problems.length > 0) return { problems: firstOf(file.problems, path) };
  const result = packSchema.safeParse(file.value);
  if (!result.success) return { problems: firstOf(explainAll(file, result.error.issues), path) };
  const problems = [...nameTrouble(path, result.data), ...contradictions(result.data)].map(({ key, says }) =>
    file.at(key, says),
  );
  return problems.length > 0 ? { problems } : { pack: result.data, problems };
}

function packFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.ya?ml$/.test(name))
      .sort();
  } catch (error) {
    throw new Misuse(`cannot read the packs of ${directory}: ${reason(error)}`);
  }
}

function readYamlFile(path: string): YamlFile | { problem: string } {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > FILE_BYTES_MAX) return { problem: `${path}:1: larger than ${FILE_BYTES_MAX} bytes` };
    return parseYaml(path, new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return { problem: `${path}:1: cannot be read: ${reason(error)}` };
  }
}

const reason = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));

/** Configuration and ledger name a pack by its id: the file goes by the same name. */
const nameTrouble = (path: string, pack: Pack) =>
  basename(path) === `${pack.id}.yaml`
    ? []
    : [
        {
          key: ["id"],
          says: `${JSON.stringify(pack.id)} does not do: expected the name of its file, ${basename(path, ".yaml")}`,
        },
      ];
