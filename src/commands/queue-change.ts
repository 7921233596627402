import type { Listed, SpoolDesk, Whom } from "../delivery/queue/spool.ts";
import { Misuse } from "../kit/trouble.ts";
import { defineCommand, text } from "./globals.ts";
import { type Ground, recordChange, withGround } from "./ground.ts";
import { clean, print, printJson, Refused } from "./output.ts";
import { actorOf, byOption, meant, noteMail, readDestination, type Which, withSpool } from "./queue-desk.ts";
import { filterOptions } from "./queue-list.ts";
import { DAY_MS, parseEnd } from "./times.ts";

const which = {
  ...filterOptions,
  all: { type: "boolean", default: false, describe: "every mail in the queue" },
  by: byOption,
} as const;

const ids = { type: "string", array: true, describe: "ids of mails; or say with options which" } as const;

interface Doing {
  readonly ground: Ground;
  readonly desk: SpoolDesk;
  readonly by: string;
}

/** Does something to each mail that is meant. @throws Refused when it was done to none */
async function forEach(
  options: Which & { config: string; json: boolean; by?: string | undefined },
  done: string,
  act: (doing: Doing, found: Listed) => Promise<boolean>,
): Promise<void> {
  await withGround(options.config, (ground) =>
    withSpool(ground, async (desk) => {
      const by = actorOf(options.by);
      let count = 0;
      for await (const found of meant(desk, options)) if (await act({ ground, desk, by }, found)) count += 1;
      if (options.json) await printJson({ [done]: count });
      else await print(`${count} mails ${done}`);
      if (count === 0) throw new Refused("there was nothing to do");
    }),
  );
}

export const retry = defineCommand({
  command: "retry [ids..]",
  describe: "Try mails at once, and destinations that did not answer again",
  builder: (args) =>
    args.positional("ids", ids).options(which).example("$0 queue retry --destination example.net", "when it is back"),
  handler: (options) =>
    forEach(options, "are tried now", async ({ desk, ground, by }, { mail }) => {
      if (!(await desk.retry(mail.id))) return false;
      await noteMail(ground, mail, { event: "queue-changed", by, evidence: { what: "retry" } });
      return true;
    }),
});

export const drop = defineCommand({
  command: "drop [ids..]",
  describe: "Take mails out of the queue; they are not delivered, and nobody is told but the ledger",
  builder: (args) =>
    args
      .positional("ids", ids)
      .options(which)
      .example("$0 queue drop --sender news@shop.example --before 2d", "look first, with queue list"),
  handler: (options) =>
    forEach(options, "dropped", async ({ desk, ground, by }, { mail }) => {
      const dropped = await desk.drop(mail.id);
      if (dropped) await noteMail(ground, dropped, { event: "dropped", by });
      return dropped !== undefined;
    }),
});

export const hold = defineCommand({
  command: "hold [ids..]",
  describe: "Keep mails from being delivered; consentry hold shows and releases them",
  builder: (args) =>
    args
      .positional("ids", ids)
      .options(which)
      .option("reason", text("why, for whoever looks later"))
      .option("for", text("how long: 7d (the least) 4w; default: queue.holdDays"))
      .option("until", text("or until when: 2026-12-22T10:30Z"))
      .example("$0 queue hold 01M812GDN5YHTC30000ZE78 --reason 'case 2026-118' --for 4w", ""),
  handler: async (options) =>
    forEach(options, "held", async ({ desk, ground, by }, { mail }) => {
      const since = ground.clock.now();
      const { holdDays } = ground.config.queue;
      const until = parseEnd(options, `${holdDays}d`, since);
      if (until < since + HOLD_DAYS_MIN * DAY_MS - 1_000) {
        throw new Misuse(`a hold lasts at least ${HOLD_DAYS_MIN} days (Circular 12/2008 V.1.2c)`);
      }
      const held = await desk.hold(mail.id, { reason: options.reason ?? "operator", by, since, until });
      if (held) await noteMail(ground, held, { event: "held", by, evidence: { reason: options.reason ?? "operator" } });
      return held !== undefined;
    }),
});

const HOLD_DAYS_MIN = 7;

const whomOptions = {
  destination: filterOptions.destination,
  client: filterOptions.client,
  by: byOption,
} as const;

function readWhom({ destination, client }: { destination?: string | undefined; client?: string | undefined }): Whom {
  if (destination !== undefined && client === undefined) return { destination: readDestination(destination) };
  if (client !== undefined && destination === undefined) return { client };
  throw new Misuse("--destination or --client, please; a single mail is kept back with queue hold");
}

const nameOf = (whom: Whom): string => ("client" in whom ? `client ${whom.client}` : whom.destination);

export const suspend = defineCommand({
  command: "suspend",
  describe: "Leave the mail for a destination, or of a client, where it is until it is resumed; mail is still taken in",
  builder: (args) =>
    args
      .options(whomOptions)
      .option("reason", text("why, for whoever looks later"))
      .example("$0 queue suspend --destination example.net --reason 'they rebuild until Monday'", ""),
  handler: (options) =>
    withGround(options.config, (ground) =>
      withSpool(ground, async (desk) => {
        const whom = readWhom(options);
        const by = actorOf(options.by);
        const { reason } = options;
        const since = ground.clock.now();
        if (!(await desk.suspend(whom, { by, since, ...(reason !== undefined && { reason }) }))) {
          throw new Refused(`${clean(nameOf(whom))} is suspended already`);
        }
        await note(ground, { what: "suspend", whom, by });
        await print(`${clean(nameOf(whom))}: suspended`);
      }),
    ),
});

export const resume = defineCommand({
  command: "resume",
  describe: "End a suspension; what waited goes on at once",
  builder: (args) => args.options(whomOptions).example("$0 queue resume --destination example.net", ""),
  handler: (options) =>
    withGround(options.config, (ground) =>
      withSpool(ground, async (desk) => {
        const whom = readWhom(options);
        if (!(await desk.resume(whom))) throw new Refused(`${clean(nameOf(whom))} is not suspended`);
        await note(ground, { what: "resume", whom, by: actorOf(options.by) });
        await print(`${clean(nameOf(whom))}: resumed`);
      }),
    ),
});

function note(ground: Ground, { what, whom, by }: { what: string; whom: Whom; by: string }): Promise<void> {
  return recordChange(ground, {
    event: "queue-changed",
    actor: by,
    ...("client" in whom && { client: whom.client }),
    evidence: { what, whom: nameOf(whom) },
  });
}

export const adopt = defineCommand({
  command: "adopt",
  describe: "Take over a queue that was copied or restored: say that no other copy of it is, or will be, delivered",
  builder: (args) => args.options({ by: byOption }).example("$0 queue adopt", "then start the service"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const [{ spoolDir }, { adoptSpool }] = await Promise.all([
        import("../delivering.ts"),
        import("../stores/spool/open.ts"),
      ]);
      const dir = spoolDir(ground.config);
      await withSpool(ground, async () => undefined);
      const nowMs = ground.clock.now();
      await adoptSpool(dir, ground.config.queue.timeoutMs, { nowMs, steadyMs: ground.clock.steadyMs?.() ?? nowMs });
      await recordChange(ground, { event: "queue-changed", actor: actorOf(options.by), evidence: { what: "adopt" } });
      await print(`${dir} is this machine's now`);
    }),
});
