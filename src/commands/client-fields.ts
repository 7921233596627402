import type { ArgumentsCamelCase, Argv } from "yargs";
import type { Config } from "../config/schema.ts";
import { Misuse } from "../kit/trouble.ts";
import { CLIENT_KINDS, type Client, type ClientKind } from "../mail/client.ts";
import { parseDomain } from "../mail/path.ts";
import { actorOption, count, type Globals, text, texts } from "./globals.ts";
import { remark } from "./output.ts";

/** What `client add` and `client set` say of a client, and where its password comes from. */
export const clientOptions = (args: Argv<Globals>) =>
  args
    .option("network", texts("CIDR range it sends from"))
    .option("domain", texts("domain it may write as sender, or *.domain for its subdomains"))
    .option("licence", text("permit or filing number (Order 38 art. 4)"))
    .option("licensed-on", text("day of the permit or filing: 2026-03-01"))
    .option("licensed-until", text("its last day, where it has one"))
    .option("code", text("management code (Circular 12/2008 II)"))
    .option("pack", texts("pack it writes under, where the recipient's domain names none; without one: the listener's"))
    .option("rate", count("mails a minute"))
    .option("per-hour", count("mails an hour"))
    .option("per-day", count("mails a day"))
    .option("verp", {
      type: "boolean",
      describe: "a return address for each recipient, so that bounces are told apart; --no-verp: never",
    })
    .option("password-file", text("file with its password"))
    .option("password-stdin", { type: "boolean", describe: "read its password from stdin" })
    .option("password-prompt", { type: "boolean", describe: "ask for its password at the terminal" })
    .option("actor", actorOption);

type Parsed = ArgumentsCamelCase<ReturnType<typeof clientOptions> extends Argv<infer Options> ? Options : never>;

export const kindOption = { choices: CLIENT_KINDS, describe: "what kind of customer it is" } as const;

/** Fields `client set --clear` can empty. */
export const CLEARABLE = [
  "network",
  "domain",
  "licence",
  "licensed-on",
  "licensed-until",
  "code",
  "pack",
  "rate",
  "per-hour",
  "per-day",
  "verp",
] as const;
const FIELD_OF = {
  network: "networks",
  domain: "domains",
  licence: "licence",
  "licensed-on": "licensedOn",
  "licensed-until": "licensedUntil",
  code: "code",
  pack: "packs",
  rate: "ratePerMinute",
  "per-hour": "ratePerHour",
  "per-day": "ratePerDay",
  verp: "verp",
} as const;

/**
 * The fields that were given.
 * @throws Misuse naming every domain that is none
 */
export function givenFields(options: Parsed & { kind?: ClientKind | undefined }): Partial<Client> {
  const { kind, network, domain, licence, licensedOn, licensedUntil, code, pack, verp } = options;
  return {
    ...(kind !== undefined && { kind }),
    ...(network && { networks: network }),
    ...(domain && { domains: domainsOf(domain) }),
    ...(licence !== undefined && { licence }),
    ...(licensedOn !== undefined && { licensedOn }),
    ...(licensedUntil !== undefined && { licensedUntil }),
    ...(code !== undefined && { code }),
    ...(pack && { packs: pack }),
    ...(verp !== undefined && { verp }),
    ...givenLimits(options),
  };
}

interface Limits {
  readonly rate?: number | undefined;
  readonly perHour?: number | undefined;
  readonly perDay?: number | undefined;
}

/** The limits that were given. */
export const givenLimits = ({ rate, perHour, perDay }: Limits): Partial<Client> => ({
  ...(rate !== undefined && { ratePerMinute: rate }),
  ...(perHour !== undefined && { ratePerHour: perHour }),
  ...(perDay !== undefined && { ratePerDay: perDay }),
});

/** @throws Misuse naming every pack that is none */
export async function checkPacks({ config, pack }: { config: string; pack?: string[] | undefined }): Promise<void> {
  if (!pack) return;
  const [{ loadConfig }, { lawOf }] = await Promise.all([import("../config/load.ts"), import("./law.ts")]);
  const { packs } = lawOf(loadConfig(config));
  const unknown = pack.filter((id) => !packs.has(id));
  if (unknown.length === 0) return;
  throw new Misuse(
    "this client cannot be recorded:",
    unknown.map((id) => `packs: there is no pack "${id}"; known: ${[...packs.keys()].join(", ")}`),
  );
}

/** Tells of a field that changes nothing as things stand. */
export function remarkFields({ config }: { readonly config: Config }, { verp }: Partial<Client>): void {
  if (verp && config.envelopeRewriting.verp === "off")
    remark("note: envelopeRewriting.verp is off, so return addresses stay as they are");
}

function domainsOf(texts: readonly string[]): string[] {
  const problems: string[] = [];
  const domains = texts.map((text) => {
    const wild = text.startsWith("*.");
    const domain = parseDomain(wild ? text.slice(2) : text);
    if (domain === undefined || domain.startsWith("[")) problems.push(`domains: "${text}" is no domain`);
    return wild ? `*.${domain}` : `${domain}`;
  });
  if (problems.length > 0) throw new Misuse("this client cannot be recorded:", problems);
  return domains;
}

/** A client with some fields changed and some emptied. */
export function changedClient(
  client: Client,
  given: Partial<Client>,
  clear: readonly (keyof typeof FIELD_OF)[],
): Client {
  const both = clear.find((name) => FIELD_OF[name] in given);
  if (both) throw new Misuse(`--${both} is given and cleared at once`);
  const gone = new Set<string>(clear.map((name) => FIELD_OF[name]));
  const kept = Object.fromEntries(Object.entries(client).filter(([name]) => !gone.has(name))) as unknown as Client;
  return {
    ...kept,
    ...(gone.has("networks") && { networks: [] }),
    ...(gone.has("domains") && { domains: [] }),
    ...given,
  };
}
