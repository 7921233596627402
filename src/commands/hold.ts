import type { QueuedMail } from "../delivery/queue/queued.ts";
import type { SpoolDesk } from "../delivery/queue/spool.ts";
import { count, defineCommand, defineGroup, word } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { print, printJson, Refused } from "./output.ts";
import { actorOf, byOption, meant, noteMail, readFilter, withSpool } from "./queue-desk.ts";
import { filterOptions, printMails, showBuilder, showMail } from "./queue-list.ts";
import { asOption, whoAsks } from "./who.ts";

const list = defineCommand({
  command: "list",
  describe: "What is held, why, by which rule, and until when",
  builder: (args) =>
    args
      .options(filterOptions)
      .option("limit", count("no more than so many"))
      .option("as", asOption)
      .example("$0 hold list --client shop", "what is kept of one client"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const masked = whoAsks(ground.config, options.as).role !== "auditor";
      const { limit } = options;
      const filter = { ...readFilter(options, ground.clock.now()), state: "held" as const, ...(limit && { limit }) };
      await withSpool(ground, (desk) => printMails(desk.list(filter), options.json, masked));
    }),
});

const show = defineCommand({
  command: "show <id>",
  describe: "One held mail: why it is held, for whom it is, and its headers",
  builder: (args) =>
    args
      .positional("id", word("the mail's id"))
      .options(showBuilder)
      .example("$0 hold show 01M812GDN5YHTC30000ZE78", ""),
  handler: (options) => showMail(options),
});

const ids = { type: "string", array: true, demandOption: true, describe: "ids of held mails" } as const;

interface Ending {
  readonly event: "released" | "dropped";
  readonly done: string;
  end(desk: SpoolDesk, id: string, ground: Ground): Promise<QueuedMail | undefined>;
}

interface Options {
  readonly ids: readonly string[];
  readonly config: string;
  readonly json: boolean;
  readonly by?: string | undefined;
}

/** Ends the hold of the mails that are named, in the name of who says so. */
const endHolds = (options: Options, { event, done, end }: Ending): Promise<void> =>
  withGround(options.config, (ground) =>
    withSpool(ground, async (desk) => {
      const by = actorOf(options.by);
      for await (const { mail, state } of meant(desk, { ids: options.ids })) {
        if (!mail.hold) throw new Refused(`${mail.id} is not held, it is ${state}`);
        const ended = await end(desk, mail.id, ground);
        if (ended) await noteMail(ground, ended, { event, by });
      }
      await (options.json ? printJson({ [done]: options.ids.length }) : print(`${options.ids.length} mails ${done}`));
    }),
  );

const release = defineCommand({
  command: "release <ids..>",
  describe: "Let held mails go to those they were for; the entry says who did it",
  builder: (args) =>
    args
      .positional("ids", ids)
      .options({ by: byOption })
      .example("$0 hold release 01M812GDN5YHTC30000ZE78", "as it came"),
  handler: (options) =>
    endHolds(options, {
      event: "released",
      done: "released",
      end: (desk, id, ground) => desk.release(id, ground.clock.now()),
    }),
});

const remove = defineCommand({
  command: "delete <ids..>",
  describe: "Delete held mails; they are not delivered, and the entry says who did it",
  builder: (args) =>
    args.positional("ids", ids).options({ by: byOption }).example("$0 hold delete 01M812GDN5YHTC30000ZE78", "for good"),
  handler: (options) => endHolds(options, { event: "dropped", done: "deleted", end: (desk, id) => desk.drop(id) }),
});

export const hold = defineGroup("hold", "Mails that a rule or an operator keeps to be looked at", [
  list,
  show,
  release,
  remove,
]);
