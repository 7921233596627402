import type { RuleMode } from "../config/schema.ts";
import { withDeadline } from "../kit/deadline.ts";
import { Unavailable } from "../kit/trouble.ts";
import type { Pack } from "../law/pack.ts";
import type { ReplyId } from "../mail/replies.ts";
import { STAGES, type Stage, type Views } from "../mail/views.ts";
import { type Context, defer, type Finding, PASS, reject, type Said } from "../rules/define.ts";
import { isOff, type RuleSetting } from "./settings.ts";
import { createVerdict, type Spoken, type Verdict } from "./verdict.ts";

export interface Pipeline {
  /** Runs every rule of one stage at once and merges what they say. Never throws; bounded by `ruleTimeoutMs`. */
  run<S extends Stage>(stage: S, view: Views[S]): Promise<Verdict>;
  /** Is there a rule in force at this stage at all? */
  has(stage: Stage): boolean;
}

export interface PipelineParts {
  readonly settings: readonly RuleSetting[];
  /** Everything of a context but the rule's own options. */
  readonly context: Omit<Context<never>, "options">;
  readonly packMode: (pack: Pack) => RuleMode;
  readonly ruleTimeoutMs: number;
  /** A rule threw: a bug. The mail is deferred; here it is told to whoever can mend it. */
  readonly onFault: (rule: string, error: unknown) => void;
}

type Looker = (view: unknown, context: Context<unknown>) => Said | Promise<Said>;

interface Step {
  readonly setting: RuleSetting;
  readonly context: Context<unknown>;
  readonly look: Looker;
  /** What it says of most mails, passes and skips, made once. */
  readonly silent: { readonly watch: Map<Finding, Spoken>; readonly enforce: Map<Finding, Spoken> };
}

/** Builds the steps of every stage once; a mail then only walks them. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const steps = Object.fromEntries(STAGES.map((stage) => [stage, stepsOf(stage, parts)])) as Record<Stage, Step[]>;
  const operators = { watch: { ...parts, mode: "watch" }, enforce: { ...parts, mode: "enforce" } } as const;
  return {
    has: (stage) => steps[stage].length > 0,
    async run(stage, view) {
      const client = view.session.client?.id;
      const spoken: Spoken[] = [];
      const waiting: Promise<Spoken[]>[] = [];
      for (const step of steps[stage]) {
        const mode = (client !== undefined && step.setting.clients.get(client)) || step.setting.mode;
        if (mode === "off") continue;
        const said = runStep(step, view, operators[mode]);
        if (isSilent(said)) spoken.push(silentOf(step, said, mode));
        else if (said instanceof Promise) waiting.push(said);
        else spoken.push(...(said as Spoken[]));
      }
      if (waiting.length > 0) spoken.push(...(await Promise.all(waiting)).flat());
      return createVerdict(spoken);
    },
  };
}

function stepsOf(stage: Stage, { settings, context }: PipelineParts): Step[] {
  return settings.flatMap((setting) => {
    const look = setting.rule.looks[stage] as Looker | undefined;
    if (!look || isOff(setting)) return [];
    return [
      {
        setting,
        look,
        context: { ...context, options: setting.options },
        silent: { watch: new Map(), enforce: new Map() },
      },
    ];
  });
}

/** A pass or a skip in the words that a rule has for every mail. */
const isSilent = (said: unknown): said is Finding =>
  said === PASS || ((said as Finding).kind === "skip" && Object.isFrozen(said));

/** Ways of saying nothing that are kept for one rule. */
const SILENT_MAX = 16;

function silentOf({ setting: { rule, rank }, silent }: Step, finding: Finding, mode: Spoken["mode"]): Spoken {
  const known = silent[mode].get(finding);
  if (known) return known;
  const made: Spoken = Object.freeze({ rule, rank, finding, mode });
  if (silent[mode].size < SILENT_MAX) silent[mode].set(finding, made);
  return made;
}

type Operator = Pick<PipelineParts, "packMode" | "ruleTimeoutMs" | "onFault"> & { mode: "watch" | "enforce" };

/** Synchronous rules answer on the spot; only what really waits gets a timer. */
function runStep(step: Step, view: unknown, operator: Operator): Finding | Spoken[] | Promise<Spoken[]> {
  try {
    const said = step.look(view, step.context);
    if (isSilent(said)) return said;
    return said instanceof Promise ? awaitStep(step, said, operator) : speak(step, said, operator);
  } catch (error) {
    return speak(step, onTrouble(step, error, operator), operator);
  }
}

async function awaitStep(step: Step, said: Promise<Said>, operator: Operator): Promise<Spoken[]> {
  try {
    const id = step.setting.rule.id;
    return speak(step, await withDeadline(said, operator.ruleTimeoutMs, "rule", id), operator);
  } catch (error) {
    return speak(step, onTrouble(step, error, operator), operator);
  }
}

function speak({ setting }: Step, said: Said, { mode, packMode }: Operator): Spoken[] {
  const { rule, rank } = setting;
  const spoken = (finding: Finding): Spoken => ({
    rule,
    rank,
    finding,
    mode: mode === "enforce" ? strongest(finding.packs, packMode) : "watch",
  });
  return Array.isArray(said) ? (said as readonly Finding[]).map(spoken) : [spoken(said as Finding)];
}

/** A finding made in the name of packs acts only when one of them is enforced. */
function strongest(packs: readonly Pack[] | undefined, packMode: (pack: Pack) => RuleMode): "watch" | "enforce" {
  return !packs || packs.length === 0 || packs.some((pack) => packMode(pack) === "enforce") ? "enforce" : "watch";
}

const REPLY_WHEN_AWAY: Partial<Record<string, ReplyId>> = { store: "store-away", dns: "dns-away" };

/** The world failed, or the rule has a bug: either way it did not look, and that is never a pass. */
function onTrouble({ setting }: Step, error: unknown, { onFault }: Operator): Finding {
  const away = error instanceof Unavailable;
  if (!away) onFault(setting.rule.id, error);
  const reply = (away && REPLY_WHEN_AWAY[error.dependency]) || "rule-trouble";
  const evidence = { trouble: away ? error.dependency : "fault" };
  return away && setting.whenUnavailable === "reject" ? reject(reply, { evidence }) : defer(reply, { evidence });
}
