/** Spam reports about a client's mail, as feedback loops and abuse mailboxes bring them in, for each hundred delivered advertisements. */
import { Misuse } from "../kit/trouble.ts";
import type { Client } from "../mail/client.ts";
import { OURSELVES } from "../registers/clients.ts";
import { type ComplaintShare, isTooMany } from "../signals/complaints.ts";
import { needClient, noteChange } from "./client-change.ts";
import { suspendedWords } from "./client-lines.ts";
import { actorOption, count, defineCommand, text, word } from "./globals.ts";
import { actorName, type Ground, recordChange, withGround } from "./ground.ts";
import { print, printJson } from "./output.ts";
import { DAY_MS } from "./times.ts";

const REPORTS_MAX = 100_000;

export const complaints = defineCommand({
  command: "complaints <id>",
  describe:
    "Spam reports about a client, and their share; with --add: count some, and suspend it when they are too many",
  builder: (args) =>
    args
      .positional("id", word("which client"))
      .option("add", count("so many reports came in"))
      .option("reference", text("where they are filed, for whoever asks later"))
      .option("actor", actorOption)
      .example("$0 client complaints shop", "how it stands")
      .example("$0 client complaints shop --add 1 --reference 'FBL 2026-118'", "one report of a feedback loop")
      .epilogue("From which share a client is suspended, and for how long: rules: { relay/suspended: … }"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const client = await needClient(ground, options.id);
      const limits = await limitsOf(ground);
      const { complaints: register } = await ground.registers();
      const counted = register(limits);
      const n = options.add ?? 0;
      if (!Number.isInteger(n) || n < 0 || n > REPORTS_MAX) throw new Misuse(`--add: a number up to ${REPORTS_MAX}`);
      const share = n === 0 ? await counted.share(client.id) : await counted.reported(client.id, n);
      if (n > 0) {
        const { reference, actor } = options;
        await recordChange(ground, {
          event: "complaints-counted",
          client: client.id,
          actor: actorName(actor),
          evidence: { reports: n, ...share, ...(reference !== undefined && { reference: reference.slice(0, 200) }) },
        });
      }
      const now = n > 0 && isTooMany(share, limits) ? await suspend(ground, client, { share, limits }) : client;
      if (options.json) return printJson({ client: client.id, ...share, suspended: now.suspended ?? null });
      await print(`${client.id}: ${shareWords(share)} in ${limits.windowDays} days`);
      if (now !== client && now.suspended) await print(`${client.id}: suspended ${suspendedWords(now.suspended)}`);
    }),
});

type Limits = Awaited<ReturnType<typeof limitsOf>>;

async function limitsOf(ground: Ground) {
  const [{ ruleSettings }, { suspended, suspendedOptions }] = await Promise.all([
    import("./rule-settings.ts"),
    import("../rules/relay/suspended.ts"),
  ]);
  const setting = ruleSettings(ground).find(({ rule }) => rule === suspended);
  return suspendedOptions.parse(setting?.options ?? {});
}

const shareWords = ({ complaints: n, delivered, percent }: ComplaintShare): string =>
  `${n} reports of spam for ${delivered} delivered advertisements, ${percent} %`;

async function suspend(
  ground: Ground,
  old: Client,
  { share, limits }: { share: ComplaintShare; limits: Limits },
): Promise<Client> {
  const fromMs = ground.clock.now();
  const { clients } = await ground.registers();
  const client = await clients.suspend(old.id, {
    reason: `${share.complaints} reports of spam, ${share.percent} % of what was delivered`,
    fromMs,
    untilMs: fromMs + limits.suspendDays * DAY_MS,
    by: OURSELVES,
  });
  if (!client) return old;
  await noteChange(ground, client, { actor: OURSELVES, change: "suspended", old });
  return client;
}
