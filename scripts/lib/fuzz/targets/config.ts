/** What operators write: the configuration, and packs of law. Wrong files are Misuse with a list, and never anything else. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../../../src/config/load.ts";
import { ipRanges } from "../../../../src/kit/ip.ts";
import { Misuse } from "../../../../src/kit/trouble.ts";
import { checkPackFile } from "../../../../src/law/packs.ts";
import { domainList } from "../../../../src/mail/domains.ts";
import { compileSettings } from "../../../../src/pipeline/settings.ts";
import { RULES } from "../../../../src/rules/index.ts";
import { hold, type Opened, type Target } from "../target.ts";

const YAML = [
  "&a ",
  "*a",
  "<<: *a",
  "!!binary ",
  "!!js/function ",
  "|\n",
  ">\n",
  "- ",
  "? ",
  "{",
  "}",
  "[",
  "]",
  ": ",
  "# ",
  "---\n",
  "...\n",
  "\t",
  "~",
  "0x1f",
  ".inf",
  "__proto__: {}\n",
  "constructor: 1\n",
  "$" + "{HOME}",
  "$" + "{X:-",
  "'",
  "\xef\xbb\xbf",
];
/** Far more than anybody writes by hand. */
const FILE_BYTES_MAX = 32_768;
/** Read when an operator starts or reloads: each of thousands of errors costs the YAML parser some µs, and only a hundred are told. */
const STALL_MS = 1_000;
const PROBLEM = /^\S+:\d+: \S/;

/** A file that each input becomes in turn. */
function fileTarget(name: string, read: (path: string) => void): Opened {
  const dir = mkdtempSync(join(tmpdir(), "consentry-fuzz-"));
  const path = join(dir, name);
  return {
    run(input) {
      writeFileSync(path, input);
      try {
        read(path);
      } catch (error) {
        if (!(error instanceof Misuse)) throw error;
      }
    },
    async close() {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const explained = (problems: readonly string[]): void =>
  hold(
    problems.every((problem) => PROBLEM.test(problem)),
    "a problem without its file and line",
  );

export const config: Target = {
  name: "config",
  what: "configurations: YAML, schema, what follows from it",
  bytesMax: FILE_BYTES_MAX,
  stallMs: STALL_MS,
  words: [
    ...YAML,
    ...[
      "hostname: ",
      "listeners:\n",
      "- { door: smtp, listen: ",
      '"127.0.0.1:0"',
      "localDomains: [",
      "rules:\n",
      '"relay/anonymous": watch',
      "limits: { ",
      "mailBytesMax: ",
      "store: { url: ",
      "redis://u:p@h:1/2",
    ],
    ...[
      "nextHop: { to: ",
      "maildir:",
      "lmtp+unix:/",
      "dns: { servers: [system] }",
      "packs: { default: [cn-2006] }",
      "ledger: { retentionDays: ",
      "trustedProxies: [",
      "10.0.0.0/8",
      "unix:/a",
      "lists:\n- { zone: a.example }",
    ],
  ],
  open: () =>
    fileTarget("consentry.yaml", (path) => {
      const { config: read, problems, sound } = readConfig(path, {});
      explained(problems);
      hold((read === undefined) === problems.length > 0, "no configuration, and nothing that is wrong with it");
      domainList(sound.localDomains);
      ipRanges(sound.relayNetworks);
      compileSettings(sound.rules, RULES, []);
    }),
};

export const packs: Target = {
  name: "packs",
  what: "packs of law: YAML, schema, contradictions",
  bytesMax: FILE_BYTES_MAX,
  stallMs: STALL_MS,
  words: [
    ...YAML,
    ...[
      "id: seed\n",
      "version: ",
      "label:\n",
      "accept: [",
      "position: front",
      "source: { cite: ",
      "confidence: doc",
      "codePattern: ",
      "(a+)+$",
      "[",
      "\\d{4}",
      "consent:\n",
      "caps:\n",
      "per: recipient",
      "onMissing: reject",
      "retention: { logDays: 60",
    ],
  ],
  open: () =>
    fileTarget("seed.yaml", (path) => {
      const { pack, problems } = checkPackFile(path);
      explained(problems);
      hold((pack === undefined) === problems.length > 0, "no pack, and nothing that is wrong with it");
    }),
};
