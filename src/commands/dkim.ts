import { recordName, recordText, zoneLine } from "../authenticity/dkim/publish.ts";
import { type DkimKey, type KeyType, makeDkimKey, readDkimKeys, removeDkimKey } from "../config/dkim-keys.ts";
import { Misuse } from "../kit/trouble.ts";
import { parseDomain } from "../mail/path.ts";
import { actorOption, defineCommand, defineGroup, text, word } from "./globals.ts";
import { actorName, recordChange, withGround } from "./ground.ts";
import { clean, print, printJson, printTable, Refused } from "./output.ts";

const DOMAIN = word("domain in From");
const SELECTOR = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const IN_FORCE = "then reload consentry: kill -HUP; until the record is found, signatures fail";

const make = defineCommand({
  command: "new <domain>",
  describe: "Make a DKIM key and print its DNS record",
  builder: (args) =>
    args
      .positional("domain", DOMAIN)
      .option("type", {
        choices: ["rsa", "ed25519"] as const,
        default: "rsa" as const,
        describe: "rsa: 2048 bits, which everybody knows; ed25519: shorter, beside an RSA key",
      })
      .option("selector", text("its name in DNS; default: the kind and today, such as rsa20261122"))
      .option("actor", actorOption)
      .example("$0 dkim new shop.example", "publish the record it prints, then reload")
      .example("$0 dkim new shop.example --type ed25519", "a second signature, beside that of RSA")
      .example(
        "$0 dkim new shop.example --selector winter",
        "a new key while the old one still signs: change by and by",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const domain = domainOf(options.domain);
      const selector = selectorOf(options.selector, options.type, ground.clock.now());
      if (readDkimKeys(ground.config).some((key) => key.domain === domain && key.selector === selector)) {
        throw new Refused(`${selector}._domainkey.${domain} has a key already; name another: --selector`);
      }
      const key = makeDkimKey(ground.config, { domain, selector, type: options.type });
      await note(ground, key, { change: "made", actor: options.actor });
      if (options.json) return printJson(shown(key));
      await print(`made ${key.file}; publish this, ${IN_FORCE}:`, "", zoneLine(key));
    }),
});

const list = defineCommand({
  command: "list",
  describe: "The keys that sign",
  builder: (args) => args.example("$0 dkim list --json", "for programs"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const items = readDkimKeys(ground.config).map((key) => ({
        row: [key.domain, key.selector, key.type, key.file],
        value: shown(key),
      }));
      await printTable(options, ["DOMAIN", "SELECTOR", "TYPE", "FILE"], items);
    }),
});

const show = defineCommand({
  command: "show <domain>",
  describe: "The DNS records of a domain's keys, as lines of a zone file",
  builder: (args) =>
    args
      .positional("domain", DOMAIN)
      .option("selector", text("only this one"))
      .example("$0 dkim show shop.example", "consentry doctor tells whether they are published"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const keys = chosen(ground.config, domainOf(options.domain), options.selector);
      await (options.json ? printJson(keys.map(shown)) : print(...keys.map(zoneLine)));
    }),
});

const remove = defineCommand({
  command: "remove <domain> <selector>",
  describe: "Delete a key; take its record out of DNS a week later, for mail that is still on its way",
  builder: (args) =>
    args
      .positional("domain", DOMAIN)
      .positional("selector", word("which"))
      .option("actor", actorOption)
      .example("$0 dkim remove shop.example rsa20260101", "then reload: kill -HUP"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      for (const key of chosen(ground.config, domainOf(options.domain), options.selector)) {
        if (!key.isOurs)
          throw new Refused(`${clean(key.file)} is named in the configuration (dkim.keys): take it out there`);
        removeDkimKey(key);
        await note(ground, key, { change: "removed", actor: options.actor });
        await (options.json ? printJson(shown(key)) : print(`${recordName(key)}: removed`));
      }
    }),
});

const shown = (key: DkimKey) => ({
  domain: key.domain,
  selector: key.selector,
  type: key.type,
  file: key.file,
  name: recordName(key),
  record: recordText(key),
});

/** @throws Misuse, Refused where there is none */
function chosen(config: Parameters<typeof readDkimKeys>[0], domain: string, selector: string | undefined): DkimKey[] {
  const keys = readDkimKeys(config).filter(
    (key) => key.domain === domain && (selector === undefined || key.selector === selector.toLowerCase()),
  );
  if (keys.length > 0) return keys;
  throw new Refused(`there is no such key of ${clean(domain)}; consentry dkim list names them`);
}

/** @throws Misuse */
function domainOf(given: string): string {
  const domain = parseDomain(given);
  if (domain === undefined || domain.startsWith("[") || !domain.includes(".")) {
    throw new Misuse(`"${given}": expected a domain such as shop.example`);
  }
  return domain;
}

/** @throws Misuse */
function selectorOf(given: string | undefined, type: KeyType, nowMs: number): string {
  const selector = (given ?? `${type}${new Date(nowMs).toISOString().slice(0, 10).replaceAll("-", "")}`).toLowerCase();
  if (SELECTOR.test(selector)) return selector;
  throw new Misuse(`--selector "${selector}": letters, digits and -, at most 63`);
}

const note = (
  ground: Parameters<typeof recordChange>[0],
  { domain, selector, type }: DkimKey,
  { change, actor }: { change: string; actor: string | undefined },
): Promise<void> =>
  recordChange(ground, {
    event: "key-changed",
    actor: actorName(actor),
    evidence: { change, domain, selector, type },
  });

export const dkim = defineGroup("dkim", "Keys that sign our clients' mail", [make, list, show, remove]);
