import { machineUptime } from "../kit/machine.ts";
import { type ClockGuard, createClockGuard, type Moment } from "../ledger/clock-guard.ts";
import { dueAt } from "../ledger/keeping.ts";
import { defineCommand, defineGroup } from "./globals.ts";
import { type Ground, recordChange, withGround } from "./ground.ts";
import { ledgerTools } from "./ledger-tools.ts";
import { print, printJson } from "./output.ts";
import { asOption, needAuditor, whoAsks } from "./who.ts";

const DAY_MS = 86_400_000;

const momentOf = (ground: Ground): Moment => ({ nowMs: ground.clock.now(), ...machineUptime() });

const guardOf = async (ground: Ground, node: string): Promise<ClockGuard> =>
  createClockGuard(await ground.tables(), node, () => ground.config.ledger.awayDaysMax);

interface ClockState {
  readonly now: string;
  readonly believed: boolean;
  /** Days it went forward too far. */
  readonly jumpDays: number;
  /** Days that are due by this clock. */
  readonly due: readonly string[];
}

async function stateOf(ground: Ground): Promise<ClockState> {
  const { sealed, node } = await ledgerTools(ground);
  const moment = momentOf(ground);
  const seals = await sealed();
  const written = seals.length === 0 ? undefined : Math.max(...seals.map(({ sealedAt }) => Date.parse(sealedAt)));
  const { believed, jumpMs } = await (await guardOf(ground, node)).judge(moment, written);
  const { retentionDays } = ground.config.ledger;
  const due = seals.map(({ date }) => date).filter((date) => dueAt(date, retentionDays) <= moment.nowMs);
  const jumpDays = Math.round((jumpMs / DAY_MS) * 10) / 10;
  return { now: new Date(moment.nowMs).toISOString(), believed, jumpDays, due: [...new Set(due)].sort() };
}

const daysOf = ({ due }: ClockState): string =>
  due.length === 0 ? "no day is due by it" : `due by it: ${due.length} days, ${due[0]} to ${due.at(-1)}`;

const show = defineCommand({
  command: "show",
  describe: "Is the clock believed when days are to be deleted by it?",
  builder: (args) => args.option("as", asOption).example("$0 ledger clock show", "exit 1 when it is not"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      whoAsks(ground.config, options.as);
      const state = await stateOf(ground);
      if (!state.believed) process.exitCode = 1;
      if (options.json) return printJson(state);
      const says = state.believed
        ? "is believed"
        : `went forward ${state.jumpDays} days too far: nothing is deleted by it`;
      await print(`${state.now}: the clock ${says}; ${daysOf(state)}`);
    }),
});

const confirm = defineCommand({
  command: "confirm",
  describe: "Say that the clock is right after it jumped; days that are due by it are deleted then",
  builder: (args) =>
    args.option("as", asOption).example("$0 ledger clock show && $0 ledger clock confirm", "look first"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = whoAsks(ground.config, options.as);
      needAuditor(asker);
      const state = await stateOf(ground);
      const { node } = await ledgerTools(ground);
      await (await guardOf(ground, node)).confirm(momentOf(ground));
      const evidence = { clock: state.now, jumpDays: state.jumpDays, due: state.due.length };
      await recordChange(ground, { event: "clock-confirmed", actor: asker.name, evidence });
      await (options.json ? printJson(state) : print(`${state.now}: confirmed by ${asker.name}; ${daysOf(state)}`));
    }),
});

export const clock = defineGroup("clock", "The clock by which days are deleted", [show, confirm]);
