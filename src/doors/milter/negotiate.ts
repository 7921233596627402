import {
  type MacroStage,
  SMFI_V1_ACTS,
  SMFI_V1_PROT,
  SMFIF,
  SMFIM,
  SMFIP,
  VERSION_MAX,
  VERSION_MIN,
} from "./constants.ts";
import { EDIT_BITS, type EditKind } from "./edits.ts";
import { uint32 } from "./frames.ts";
import { type ChosenStep, STEPS } from "./steps.ts";

/** Option negotiation: what the MTA offers, what we want, what comes of it. Pure. */

/**
 * `answer`: the MTA waits for an answer. `listen`: it tells and goes on at once where it can; a refusal is then given at
 * the next step that is answered, and concerns the whole mail. `ignore`: it does not even tell, where it can.
 */
export type StepMode = "answer" | "listen" | "ignore";
export type StepModes = Readonly<Record<ChosenStep, StepMode>>;

export interface Wants {
  readonly steps: StepModes;
  readonly edits: readonly EditKind[];
  /** Tell of recipients, too, that the MTA itself refuses. */
  readonly rejectedRecipients: boolean;
  /** Macros wanted at each stage; undefined: whatever the MTA sends unasked. */
  readonly macros: Readonly<Partial<Record<MacroStage, readonly string[]>>> | undefined;
}

export interface Agreement {
  readonly version: number;
  readonly actionBits: number;
  readonly stepBits: number;
  readonly edits: ReadonlySet<EditKind>;
  /** Payload of our SMFIC_OPTNEG. */
  readonly payload: Buffer;
}

const OFFER_BYTES = 12;

/** @returns undefined when the peer's offer is malformed or older than version 2 */
export function agree(offer: Buffer, wants: Wants): Agreement | undefined {
  if (offer.length < OFFER_BYTES) return undefined;
  const offered = offer.readUInt32BE(0);
  if (offered < VERSION_MIN) return undefined;
  const version = Math.min(offered, VERSION_MAX);
  const actions = offer.readUInt32BE(4) || SMFI_V1_ACTS;
  const stepBits = wantedSteps(wants) & (offer.readUInt32BE(8) || SMFI_V1_PROT);
  const edits = new Set(wants.edits.filter((edit) => actions & EDIT_BITS[edit]));
  const asksMacros = wants.macros !== undefined && (actions & SMFIF.SETSYMLIST) !== 0;
  let actionBits = asksMacros ? SMFIF.SETSYMLIST : 0;
  for (const edit of edits) actionBits |= EDIT_BITS[edit];
  const head = [uint32(version), uint32(actionBits), uint32(stepBits)];
  const payload = Buffer.concat([...head, ...(asksMacros ? macroLists(wants.macros) : [])]);
  return { version, actionBits, stepBits, edits, payload };
}

function wantedSteps(wants: Wants): number {
  let bits: number = SMFIP.SKIP | SMFIP.HDR_LEADSPC;
  if (wants.rejectedRecipients) bits |= SMFIP.RCPT_REJ;
  for (const [step, mode] of Object.entries(wants.steps) as [ChosenStep, StepMode][]) {
    if (mode === "ignore") bits |= STEPS[step].off;
    if (mode === "listen") bits |= STEPS[step].silent;
  }
  return bits;
}

/** A list of ours replaces the MTA's own for that stage; a stage left out, or an empty list, keeps it (Postfix). */
function macroLists(macros: Wants["macros"] = {}): Buffer[] {
  const lists: Buffer[] = [];
  for (const [stage, names] of Object.entries(macros) as [MacroStage, readonly string[]][]) {
    lists.push(uint32(SMFIM[stage]), Buffer.from(`${names.map(braced).join(" ")}\0`));
  }
  return lists;
}

/** Names longer than a letter stand in braces. */
const braced = (name: string): string => (name.length > 1 && !name.startsWith("{") ? `{${name}}` : name);
