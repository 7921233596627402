import { needClient, noteChange, said } from "./client-change.ts";
import { suspendedWords } from "./client-lines.ts";
import { actorOption, defineCommand, needed, text, word } from "./globals.ts";
import { actorName, withGround } from "./ground.ts";
import { clean, Refused } from "./output.ts";
import { parseEnd } from "./times.ts";

const DEFAULT_FOR = "7d";

export const suspend = defineCommand({
  command: "suspend <id>",
  describe: "Relay nothing of a client for a time; it hears why and until when",
  builder: (args) =>
    args
      .positional("id", word("which client"))
      .option("reason", needed(text("why, in ASCII: the client hears it")))
      .option("for", text(`how long: 30m 2h 3d 1w; default ${DEFAULT_FOR}`))
      .option("until", text("or until when: 2026-11-22T10:30Z"))
      .option("actor", actorOption)
      .example("$0 client suspend shop --reason 'complaints, see our mail of 2026-11-20' --for 3d", "")
      .example("$0 client suspend shop --reason 'filing is being renewed' --until 2026-12-31", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const old = await needClient(ground, options.id);
      const { clients } = await ground.registers();
      const fromMs = ground.clock.now();
      const suspended = {
        reason: options.reason,
        fromMs,
        untilMs: parseEnd(options, DEFAULT_FOR, fromMs),
        by: actorName(options.actor),
      };
      const client = await clients.suspend(old.id, suspended);
      if (!client) throw new Refused(`there is no client ${clean(old.id)} any more`);
      await noteChange(ground, client, { actor: options.actor, change: "suspended", old });
      await said(options, client, `suspended ${suspendedWords(suspended)}`);
    }),
});

export const resume = defineCommand({
  command: "resume <id>",
  describe: "End a suspension now",
  builder: (args) =>
    args.positional("id", word("which client")).option("actor", actorOption).example("$0 client resume shop", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const old = await needClient(ground, options.id);
      if (!old.suspended) throw new Refused(`${clean(old.id)} is not suspended`);
      const { clients } = await ground.registers();
      const client = (await clients.suspend(old.id, undefined)) ?? old;
      await noteChange(ground, client, { actor: options.actor, change: "resumed", old });
      await said(options, client, "resumed");
    }),
});
