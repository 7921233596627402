import { Misuse } from "../kit/trouble.ts";
import type { CodeTerms, ManagementCode } from "../registers/codes.ts";
import { actorName, type Ground, recordChange } from "./ground.ts";
import { clean, print, printJson } from "./output.ts";

/** How long codes are good, as a law has it. @throws Misuse when no pack knows codes */
export async function codeTerms({
  config,
  pack: id,
}: {
  config: string;
  pack?: string | undefined;
}): Promise<CodeTerms> {
  const [{ loadConfig }, { lawOf }] = await Promise.all([import("../config/load.ts"), import("./law.ts")]);
  const { packs, choice } = lawOf(loadConfig(config));
  const named = id === undefined ? [...choice.active, ...packs.values()] : [packs.get(id)];
  const terms = named.find((pack) => pack?.codes)?.codes;
  if (!terms)
    throw new Misuse(id === undefined ? "no pack knows codes" : `--pack ${id}: there is no such pack with codes`);
  return terms;
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** As people and other programs read it. */
export function shownCode(code: ManagementCode, nowMs: number) {
  const { issuedAtMs, expiresAtMs, revokedAtMs, ...rest } = code;
  return {
    ...rest,
    state: stateWord(code, nowMs),
    issued: day(issuedAtMs),
    expires: day(expiresAtMs),
    ...(revokedAtMs !== undefined && { revoked: day(revokedAtMs) }),
  };
}

/** Not imported from the register: a list of commands shall not wait for its schema. */
function stateWord({ issuedAtMs, expiresAtMs, revokedAtMs }: ManagementCode, nowMs: number): string {
  if (revokedAtMs !== undefined && revokedAtMs <= nowMs) return "revoked";
  return nowMs >= expiresAtMs ? "expired" : nowMs < issuedAtMs ? "not-yet" : "valid";
}

export const lineOf = (code: ManagementCode, nowMs: number): string[] => {
  const { state, issued, expires, published, name } = shownCode(code, nowMs);
  return [code.code, code.holder, state, issued, expires, published ? "yes" : "no", name ?? "-"];
};

export const noteCode = (
  ground: Ground,
  { code, holder, expiresAtMs }: ManagementCode,
  { actor, change }: { actor: string | undefined; change: string },
): Promise<void> =>
  recordChange(ground, {
    event: "code-changed",
    actor: actorName(actor),
    evidence: { change, code, holder, expires: day(expiresAtMs) },
  });

export const saidCode = (options: { json: boolean }, code: ManagementCode, what: string): Promise<void> =>
  options.json
    ? printJson(shownCode(code, code.issuedAtMs))
    : print(`${code.code}: ${clean(what)}, good until ${day(code.expiresAtMs)}`);
