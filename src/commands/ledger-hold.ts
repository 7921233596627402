import { Misuse } from "../kit/trouble.ts";
import { createHoldRegister, type Hold, type HoldRegister, stands } from "../ledger/holds.ts";
import { defineCommand, defineGroup, needed, text } from "./globals.ts";
import { type Ground, recordChange, withGround } from "./ground.ts";
import { print, printJson, printTable, Refused } from "./output.ts";
import { parseInstant } from "./times.ts";
import { asOption, needAuditor, whoAsks } from "./who.ts";

export const caseOption = needed(text("number of the case or request"));

const CASE_CHARS_MAX = 100;

/** @throws Misuse */
export function readCase(given: string): string {
  if (given.trim() === given && given !== "" && given.length <= CASE_CHARS_MAX && !/\p{Cc}/u.test(given)) return given;
  throw new Misuse(`--case: expected a number or name of at most ${CASE_CHARS_MAX} characters`);
}

export const holdRegister = async (ground: Ground): Promise<HoldRegister> =>
  createHoldRegister(await ground.tables(), ground.clock);

const set = defineCommand({
  command: "set",
  describe: "Keep days beyond their time, until the hold is released",
  builder: (args) =>
    args
      .option("case", caseOption)
      .option("reason", needed(text("why, and by whose order")))
      .option("since", text("first day, 2026-11-01; default: all there are"))
      .option("until", text("last day; default: all there will be"))
      .option("as", asOption)
      .example("$0 ledger hold set --case 2026-117 --reason 'court order 12' --since 2026-11-01", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = whoAsks(ground.config, options.as);
      needAuditor(asker);
      const span = readSpan(options);
      const hold = await (await holdRegister(ground)).set({
        case: readCase(options.case),
        reason: options.reason,
        by: asker.name,
        ...span,
      });
      const evidence = { case: hold.case, reason: hold.reason, ...span };
      await recordChange(ground, { event: "hold-set", actor: asker.name, evidence });
      await (options.json ? printJson(shown(hold)) : print(`${hold.case}: ${covered(hold)} will not be deleted`));
    }),
});

function readSpan({ since, until }: { since?: string | undefined; until?: string | undefined }) {
  const day = (given: string | undefined, option: string): string | undefined => {
    if (given === undefined) return undefined;
    if (!parseInstant(given)?.day) throw new Misuse(`--${option} "${given}": expected a day such as 2026-11-22`);
    return given;
  };
  const [first, last] = [day(since, "since"), day(until, "until")];
  if (first !== undefined && last !== undefined && first > last) throw new Misuse("--since is after --until");
  return { ...(first !== undefined && { since: first }), ...(last !== undefined && { until: last }) };
}

const release = defineCommand({
  command: "release",
  describe: "End a hold: days whose time is over are deleted at the next housekeeping",
  builder: (args) =>
    args.option("case", caseOption).option("as", asOption).example("$0 ledger hold release --case 2026-117", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = whoAsks(ground.config, options.as);
      needAuditor(asker);
      const holds = await holdRegister(ground);
      const notHeld = `case ${options.case} is not held; consentry ledger hold list shows what is`;
      const held = (await holds.list()).some((each) => each.case === options.case && stands(each));
      if (!held) throw new Refused(notHeld);
      // Days may be deleted from then on: it is written down first.
      await ground.record({ event: "hold-released", actor: asker.name, evidence: { case: options.case } });
      const hold = await holds.release(options.case, asker.name);
      if (!hold) throw new Refused(notHeld);
      await (options.json ? printJson(shown(hold)) : print(`${hold.case}: released`));
    }),
});

const list = defineCommand({
  command: "list",
  describe: "Holds, also those that are released",
  builder: (args) => args.option("as", asOption).example("$0 ledger hold list --json", "for programs"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      needAuditor(whoAsks(ground.config, options.as));
      const items = (await (await holdRegister(ground)).list()).map((hold) => ({
        row: rowOf(hold),
        value: shown(hold),
      }));
      await printTable(options, ["CASE", "STATE", "DAYS", "SET", "BY", "REASON"], items);
    }),
});

const covered = ({ since, until }: Hold): string =>
  since === undefined && until === undefined ? "every day" : `days ${since ?? "…"} to ${until ?? "…"}`;

const rowOf = (hold: Hold): string[] => [
  hold.case,
  stands(hold) ? "held" : `released by ${hold.releasedBy}`,
  covered(hold),
  new Date(hold.setAt).toISOString().slice(0, 10),
  hold.by,
  hold.reason,
];

const shown = ({ setAt, releasedAt, ...hold }: Hold) => ({
  ...hold,
  setAt: new Date(setAt).toISOString(),
  ...(releasedAt !== undefined && { releasedAt: new Date(releasedAt).toISOString() }),
});

export const hold = defineGroup("hold", "Legal holds: days that are not deleted", [set, release, list]);
