import type { Listed } from "../delivery/queue/spool.ts";
import { defineCommand, text, word } from "./globals.ts";
import { withGround } from "./ground.ts";
import { readId } from "./ledger-ask.ts";
import { explainMail } from "./ledger-explain.ts";
import { clean, print, Refused } from "./output.ts";
import { mailLine, shownMail, withSpool } from "./queue-desk.ts";
import { asOption, whoAsks } from "./who.ts";

/** consentry trace: where a mail is now, and everything that happened to it. */
export const trace = defineCommand({
  command: "trace <id>",
  describe: "One mail: how it stands in the queue, and its whole life in the ledger",
  builder: (args) =>
    args
      .positional("id", word("id of the mail, as the 250 named it"))
      .option("case", text("case or request number this is for; kept in the ledger"))
      .option("as", asOption)
      .example("$0 trace 01M812GDN5YHTC30000ZE78", "waiting, held, delivered or given up, and why"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const masked = whoAsks(ground.config, options.as).role !== "auditor";
      const found = await withSpool(ground, (desk) => desk.find(readId(options.id))).catch(noQueue);
      const queued = found && shownMail(found, masked);
      await explainMail(ground, options, (lives) => (queued ? { queue: queued, ledger: lives } : { ledger: lives }));
      if (options.json) return;
      await print(queued ? clean(`in the queue: ${mailLine(queued)}`) : "not in the queue");
    }),
});

function noQueue(error: unknown): Listed | undefined {
  if (error instanceof Refused) return undefined;
  throw error;
}
