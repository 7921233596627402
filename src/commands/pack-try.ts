import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Misuse } from "../kit/trouble.ts";
import type { Law } from "../law-in-force.ts";
import { count, defineCommand, text, word } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { clean, createProgress, print, printJson, table } from "./output.ts";
import type { Trial } from "./pack-trial.ts";

export const tryPack = defineCommand({
  command: "try <id>",
  describe: "What would a pack do to yesterday's mail? Refuses nothing, takes nothing, records nothing",
  builder: (args) =>
    args
      .positional("id", word("which pack"))
      .option("maildir", text("a Maildir, or a directory with many; also .eml files"))
      .option("mbox", text("an mbox file"))
      .option("as", {
        choices: ["strangers", "clients"] as const,
        default: "strangers" as const,
        describe: "whose mail it is: that of the world, or our own clients', found by the domain of From",
      })
      .option("examples", { ...count("so many mails are named for each"), default: 3 })
      .option("subjects", { type: "boolean", default: false, describe: "name the Subjects of the examples, too" })
      .example("$0 pack try kr --maildir /var/mail/archive", "before the pack is given a mode")
      .example("$0 pack try vn-2020 --mbox sent.mbox --as clients --json", "for programs")
      .conflicts("maildir", "mbox")
      .epilogue(
        "Mails are named by their Message-ID. Consents and codes are those that are recorded now; counts of today are looked at, not taken from.",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      if (options.maildir === undefined && options.mbox === undefined)
        throw new Misuse("which mail? --maildir or --mbox");
      const law = await lawOfTrial(ground, options.id);
      const [{ maildirMails, mboxMails }, { runTrial }] = await Promise.all([
        import("./mail-files.ts"),
        import("./pack-trial.ts"),
      ]);
      const { limits, dataDir } = ground.config;
      const mails =
        options.mbox === undefined ? maildirMails(options.maildir ?? "") : mboxMails(options.mbox, limits.mailBytesMax);
      const progress = createProgress("mails");
      const spillDir = join(dataDir, "incoming");
      mkdirSync(spillDir, { recursive: true, mode: 0o700 });
      const { clients } = await ground.registers();
      const trial = await runTrial(mails, {
        pipeline: law.pipeline,
        bounds: { ...limits, spillDir },
        clients: options.as === "clients" ? await clients.list() : undefined,
        examplesMax: options.examples,
        subjects: options.subjects,
        onProgress: progress.at,
      }).finally(progress.end);
      await (options.json ? printJson({ pack: options.id, as: options.as, ...trial }) : print(...linesOf(trial)));
    }),
});

/** The law of the configuration with this pack alone, enforced. @throws Misuse when there is no such pack */
async function lawOfTrial(ground: Ground, id: string): Promise<Law> {
  const [{ layDownLaw }, { createLog }, { onlyLooking }] = await Promise.all([
    import("../law-in-force.ts"),
    import("../kit/log.ts"),
    import("../registers/consent-quotas.ts"),
  ]);
  const { consents, quotas, codes } = await ground.registers();
  const { config } = ground;
  const packs = { ...config.packs, default: [id], byRecipientDomain: {}, modes: { [id]: "enforce" as const } };
  const listeners = config.listeners.map(({ packs: _, ...listener }) => listener);
  // What the ledger has to keep is asked when the pack is used, not when it is tried.
  const tried = { ...config, packs, listeners, ledger: { ...config.ledger, retentionDays: 36_500 } };
  const parts = {
    clock: ground.clock,
    ids: await ground.ids(),
    tokens: await ground.tokens(),
    consents,
    quotas: onlyLooking(quotas),
    codes,
    log: createLog("silent"),
  };
  return layDownLaw({ ...ground, config: tried }, parts);
}

const WORDS = {
  reject: "would be refused",
  defer: "would be put off",
  hold: "would be held",
  label: "would get the label",
  note: "would be noted",
  nothing: "nothing",
} as const;

function linesOf({ mails, unreadable, outcomes, findings }: Trial): string[] {
  const counts = Object.entries(WORDS).map(
    ([kind, words]) => `  ${words.padEnd(20)} ${outcomes[kind as keyof typeof WORDS]}`,
  );
  const rows = findings.map(({ rule, kind, what, mails: many, examples }) => [
    rule,
    kind,
    what,
    String(many),
    examples.map(({ id, subject }) => (subject === undefined ? id : `${id} ${JSON.stringify(subject)}`)).join(" "),
  ]);
  return [
    `${mails.toLocaleString("en")} mails${unreadable > 0 ? `, ${unreadable} that could not be read` : ""}`,
    ...counts,
    ...(rows.length > 0 ? ["", ...table(["RULE", "WHAT", "WHY", "MAILS", "SUCH AS"], rows)] : []),
  ].map(clean);
}
