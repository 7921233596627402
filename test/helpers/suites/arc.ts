/** The ARC suite (YAML: validation and signing) and single mails of several implementations. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { type Zone, type ZoneEntry, zoneOf } from "../../../scripts/lib/dns/server.ts";
import type { SignedMail } from "../../../src/authenticity/dkim/verify.ts";
import { hasSuite, suitePath } from "./corpus.ts";
import { mailOf } from "./dkim.ts";

export interface ArcCase {
  readonly name: string;
  readonly mail: SignedMail;
  readonly zone: Zone;
  /** none, pass, fail; "": one of the last two, it is only not known which. */
  readonly expected: string;
}

export interface ArcSignCase {
  readonly name: string;
  readonly mail: SignedMail;
  readonly zone: Zone;
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: string;
  readonly server: string;
  readonly timeS: number;
  readonly signedNames: readonly string[];
  readonly expected: { readonly seal: string; readonly message: string; readonly results: string };
}

type Texts = Readonly<Record<string, string | number>>;
interface Scenario {
  readonly tests?: Readonly<Record<string, Texts>>;
  readonly "txt-records"?: Readonly<Record<string, string>>;
  readonly domain?: string;
  readonly sel?: string;
  readonly privatekey?: string;
}

/** Some documents use a test's name twice: both are cases, and only a parser that keeps pairs sees them. */
function scenariosIn(file: string): { scenario: Scenario; tests: [string, Texts][] }[] {
  const path = suitePath("auth-arc", file);
  if (!existsSync(path)) return [];
  return parseAllDocuments(readFileSync(path, "utf8"), { uniqueKeys: false }).map((document) => {
    const tests = document.getIn(["tests"]) as
      | { items: { key: { value: string }; value: { toJSON(): Texts } }[] }
      | undefined;
    return {
      scenario: (document.toJS() ?? {}) as Scenario,
      tests: (tests?.items ?? []).map(({ key, value }) => [key.value, value.toJSON()] as [string, Texts]),
    };
  });
}

function zoneFrom({ "txt-records": records = {} }: Scenario): Zone {
  const entries = Object.entries(records).map(([name, text]): [string, ZoneEntry[]] => [
    name.toLowerCase(),
    [{ type: "TXT", value: [String(text).replace(/\n/g, "")] }],
  ]);
  return new Map(entries);
}

export const arcCases = (): ArcCase[] => [
  ...scenariosIn("arc-draft-validation-tests.yml").flatMap(({ scenario, tests }) =>
    tests.map(([name, test]) => ({
      name,
      mail: mailOf(Buffer.from(String(test.message ?? ""))),
      zone: zoneFrom(scenario),
      expected: String(test.cv).toLowerCase(),
    })),
  ),
  ...singleMails(),
];

function singleMails(): ArcCase[] {
  if (!hasSuite("auth-arc")) return [];
  return readdirSync(suitePath("auth-arc"))
    .filter((file) => /\.eml$|\d\.txt$/.test(file))
    .map((name) => {
      const text = readFileSync(suitePath("auth-arc", name)).toString("latin1");
      const [, keys = "", mail = ""] = /^(.*?)\r?\n\r?\n(.*)$/s.exec(text) ?? [];
      const embedded = name.startsWith("stalwart-");
      const zone = embedded
        ? zoneOf(keys.split(/\r?\n/).map((line) => line.replace(/^(\S+)\s+/, "$1 TXT ")))
        : new Map<string, ZoneEntry[]>();
      const expected = embedded ? "pass" : /fail|bad|ko/.test(name) ? "fail" : "pass";
      return { name, mail: mailOf(Buffer.from(embedded ? mail : text, "latin1")), zone, expected };
    });
}

export const arcSignCases = (): ArcSignCase[] =>
  scenariosIn("arc-draft-sign-tests.yml").flatMap(({ scenario, tests }) =>
    tests.map(([name, test]) => ({
      name,
      mail: mailOf(Buffer.from(String(test.message))),
      zone: zoneFrom(scenario),
      domain: scenario.domain ?? "",
      selector: scenario.sel ?? "",
      privateKey: scenario.privatekey ?? "",
      server: String(test["srv-id"]),
      timeS: Number(test.t),
      signedNames: String(test["sig-headers"]).split(":"),
      expected: { seal: String(test.AS), message: String(test.AMS), results: String(test.AAR) },
    })),
  );
