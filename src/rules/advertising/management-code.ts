import { z } from "zod";
import { matchLabel } from "../../law/label.ts";
import type { Pack } from "../../law/pack.ts";
import { addressesIn } from "../../mail/mailboxes.ts";
import { decodedSubject } from "../../mail/subject.ts";
import type { HeaderView, Recipient } from "../../mail/views.ts";
import { type ManagementCode, stateOf } from "../../registers/codes.ts";
import { declaredAdvertising } from "../../signals/declared.ts";
import { consequences } from "../consequence.ts";
import { type Context, defineRule, type Finding, PASS, type Said, skip } from "../define.ts";
import { type Group, groupByPacks } from "../groups.ts";

export const managementCode = defineRule({
  id: "advertising/management-code",
  title: "A management code in a label is valid today and the sender's own",
  why: "A code says which licensed service an advertisement comes from. One that is unknown, expired, revoked or somebody else's says\nit falsely; and who advertises for others at all must hold a published one. Register away: deferred, never passed.",
  sources: [
    { cite: "Circular 12/2008/TT-BTTTT II.6", confidence: "doc" },
    { cite: "Circular 12/2008/TT-BTTTT III.1.2", confidence: "doc" },
  ],
  falseAlarms: [
    "A code that was published after the list was last imported: consentry code import FILE.csv",
    "A firm whose code is recorded for its client id and that writes through another client: consentry code change CODE --holder",
  ],
  options: z.strictObject({}),
  looks: {
    header(view, context) {
      const groups = groupByPacks(view, context).filter(({ packs }) => packs.some(({ codes }) => codes));
      if (groups.length === 0) return skip("no law here knows codes");
      if (
        !declaredAdvertising(
          view,
          groups.flatMap(({ packs }) => packs),
        )
      )
        return skip("not declared as advertising");
      return judgeAll(view, groups, context);
    },
  },
});

async function judgeAll(view: HeaderView, groups: readonly Group[], context: Context<unknown>): Promise<Said> {
  const findings: Finding[] = [];
  for (const { packs, recipients } of groups) {
    for (const pack of packs) findings.push(...(await judge(view, { pack, recipients }, context)));
  }
  return findings.length > 0 ? findings : PASS;
}

interface Case {
  readonly pack: Pack;
  readonly recipients: readonly Recipient[];
}

async function judge(view: HeaderView, { pack, recipients }: Case, context: Context<unknown>): Promise<Finding[]> {
  const { codes, label } = pack;
  if (!codes || !label) return [];
  const { client } = view.session;
  const match = matchLabel(label, decodedSubject(view.headers));
  const code = match.found ? match.code : undefined;
  const wrong = code === undefined ? undefined : whatIsWrong(await context.codes.byCode(code), view, context);
  const findings: Finding[] = [];
  if (code !== undefined && wrong !== undefined) {
    const said = { reply: "code-invalid", reason: `a code that is ${wrong}`, detail: `${code} is ${wrong}` } as const;
    const evidence = { code, wrong };
    findings.push(...consequences(view.session, [{ pack, requirement: codes }], { ...said, recipients, evidence }));
  }
  if (codes.service && client?.kind === "ad-service" && !(await holdsOne(client.id, context))) {
    const said = { reply: "code-required", reason: "advertises for others without a published code" } as const;
    const evidence = { client: client.id };
    findings.push(
      ...consequences(view.session, [{ pack, requirement: codes.service }], { ...said, recipients, evidence }),
    );
  }
  return findings;
}

async function holdsOne(holder: string, { codes, clock }: Context<unknown>): Promise<boolean> {
  const held = await codes.heldBy(holder);
  return held.some((code) => code.published && stateOf(code, clock.now()) === "valid");
}

/** In a word for the sender; undefined: nothing is. */
function whatIsWrong(
  code: ManagementCode | undefined,
  view: HeaderView,
  { clock }: Context<unknown>,
): string | undefined {
  if (!code) return "not known";
  const state = stateOf(code, clock.now());
  if (state !== "valid") return state === "not-yet" ? "not valid yet" : state;
  return isSenders(code, view) ? undefined : "not yours";
}

/** The client that holds it, or one that writes for the domain that does; a stranger by the domain it signs as From. */
function isSenders({ holder }: ManagementCode, { session, headers }: HeaderView): boolean {
  const { client } = session;
  if (client)
    return holder === client.id || client.domains.some((domain) => isWithin(domain.replace(/^\*\./, ""), holder));
  return isWithin(addressesIn(headers, "from")[0]?.domain ?? "", holder);
}

const isWithin = (domain: string, holder: string): boolean => domain === holder || domain.endsWith(`.${holder}`);
