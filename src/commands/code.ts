import type { ManagementCode } from "../registers/codes.ts";
import { importCodes } from "./code-import.ts";
import { codeTerms, lineOf, noteCode, saidCode, shownCode } from "./code-words.ts";
import { actorOption, defineCommand, defineGroup, needed, text, word } from "./globals.ts";
import { withGround } from "./ground.ts";
import { clean, print, printJson, printTable, Refused } from "./output.ts";
import { parseMoment } from "./times.ts";

const which = word("which code: four characters, such as ABC1");
const packOption = text("the pack whose terms hold; default: the first in force that knows codes");
const published = { type: "boolean", describe: "does it stand in the authority's list?" } as const;

const issue = defineCommand({
  command: "issue <code>",
  describe: "Record a management code and whose it is",
  builder: (args) =>
    args
      .positional("code", which)
      .option("holder", needed(text("id of the client that holds it, else the domain that writes as From")))
      .option("name", text("the firm"))
      .option("issued", text("when; default: now"))
      .option("expires", text("when it ends; default: as long as the law lets it"))
      .option("published", { ...published, default: true })
      .option("pack", packOption)
      .option("actor", actorOption)
      .example("$0 code issue ABC1 --holder agency --name 'Agency Ltd' --issued 2026-11-01", "good for three years")
      .example("$0 code issue ABC1 --holder agency --no-published", "its holder may not advertise for others yet"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { codes } = await ground.registers();
      const nowMs = ground.clock.now();
      const { issued, expires, name } = options;
      const code = await codes.issue(
        {
          code: options.code,
          holder: options.holder,
          ...(name !== undefined && { name }),
          issuedAtMs: issued === undefined ? nowMs : parseMoment(issued, "issued", nowMs).ms,
          ...(expires !== undefined && { expiresAtMs: parseMoment(expires, "expires", nowMs).ms }),
          published: options.published,
        },
        await codeTerms(options),
      );
      await noteCode(ground, code, { actor: options.actor, change: "issued" });
      await saidCode(options, code, `issued to ${code.holder}`);
    }),
});

const renew = defineCommand({
  command: "renew <code>",
  describe: "Let a code run on, in time",
  builder: (args) =>
    args
      .positional("code", which)
      .option("pack", packOption)
      .option("actor", actorOption)
      .example("$0 code renew ABC1", "no later than 30 days before it ends, for three years"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { codes } = await ground.registers();
      const code = await codes.renew(options.code, await codeTerms(options));
      await noteCode(ground, code, { actor: options.actor, change: "renewed" });
      await saidCode(options, code, "renewed");
    }),
});

const change = defineCommand({
  command: "change <code>",
  describe: "Change whose a code is, or whether it is published",
  builder: (args) =>
    args
      .positional("code", which)
      .option("holder", text("id of the client that holds it now, else a domain"))
      .option("name", text("the firm"))
      .option("published", published)
      .option("actor", actorOption)
      .example("$0 code change ABC1 --published", "the authority has published it"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { codes } = await ground.registers();
      const { holder, name } = options;
      const code = await codes.change(options.code, {
        ...(holder !== undefined && { holder }),
        ...(name !== undefined && { name }),
        ...(options.published !== undefined && { published: options.published }),
      });
      await noteCode(ground, code, { actor: options.actor, change: "changed" });
      await saidCode(options, code, "changed");
    }),
});

const revoke = defineCommand({
  command: "revoke <code>",
  describe: "Withdraw a code; from then on no mail may bear it",
  builder: (args) =>
    args
      .positional("code", which)
      .option("why", needed({ ...text("why"), choices: ["expiry", "request", "dissolution", "sanction"] as const }))
      .option("from", text("when; default: now"))
      .option("actor", actorOption)
      .example("$0 code revoke ABC1 --why request", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { codes } = await ground.registers();
      const nowMs = ground.clock.now();
      const fromMs = options.from === undefined ? nowMs : parseMoment(options.from, "from", nowMs).ms;
      const code = await codes.revoke(options.code, options.why, fromMs);
      await noteCode(ground, code, { actor: options.actor, change: "revoked" });
      await saidCode(options, code, "revoked");
    }),
});

const show = defineCommand({
  command: "show <code>",
  describe: "One code",
  builder: (args) => args.positional("code", which).example("$0 code show ABC1 --json", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { codes } = await ground.registers();
      const code = await codes.byCode(options.code);
      if (!code) throw new Refused(`there is no code ${clean(options.code)}; consentry code list names them`);
      const shown = shownCode(code, ground.clock.now());
      if (options.json) return printJson(shown);
      await print(...Object.entries(shown).map(([name, value]) => `${name.padEnd(10)} ${clean(String(value))}`));
    }),
});

const list = defineCommand({
  command: "list",
  describe: "All codes",
  builder: (args) =>
    args
      .option("holder", text("only this client's, or domain's"))
      .option("ending", { type: "number", requiresArg: true, describe: "only valid ones that end within so many days" })
      .example("$0 code list --ending 60", "which have to be renewed"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { codes } = await ground.registers();
      const { holder, ending } = options;
      const all = ending === undefined ? await codes.list() : await codes.ending(ending);
      const wanted = (code: ManagementCode) => holder === undefined || code.holder === holder.toLowerCase();
      const nowMs = ground.clock.now();
      const items = all.filter(wanted).map((code) => ({ row: lineOf(code, nowMs), value: shownCode(code, nowMs) }));
      await printTable(options, ["CODE", "HOLDER", "STATE", "ISSUED", "EXPIRES", "PUBLISHED", "NAME"], items);
    }),
});

export const code = defineGroup("code", "Management codes of those who advertise for others", [
  issue,
  renew,
  change,
  revoke,
  show,
  list,
  importCodes,
]);
