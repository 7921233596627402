import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import { writeReply } from "../../src/mail/replies.ts";
import { defer, type Finding, hold, note, PASS, reject, type Said } from "../../src/rules/define.ts";
import { viewsOf } from "../helpers/described.ts";
import { pipelineOf, ruleOf, settingOf } from "../helpers/settings.ts";

const view = viewsOf({ to: ["ann@example.com", "ben@example.com"] }).header;
const evidence = { seen: true };

type Way = "at once" | "as a promise" | "throws" | "is away";
interface Member {
  readonly finding: Finding;
  readonly way: Way;
  readonly mode: "watch" | "enforce";
  /** How many turns of the microtask queue it waits before it answers. */
  readonly turns: number;
}

const recipients = fc.constantFrom(undefined, view.recipients.slice(0, 1), view.recipients.slice(1));
const finding = fc
  .record({ about: recipients, kind: fc.constantFrom("pass", "note", "hold", "defer", "reject") })
  .chain(({ about, kind }) =>
    fc.constantFrom("relay-denied", "own-domain", "helo-forged", "consent-missing" as const).map((reply): Finding => {
      const particulars = { evidence, ...(about && { recipients: about }) };
      if (kind === "pass") return PASS;
      if (kind === "note") return note("odd", particulars);
      if (kind === "hold") return hold("look", particulars);
      return kind === "defer" ? defer("store-away", particulars) : reject(reply as "relay-denied", particulars);
    }),
  );
const member: fc.Arbitrary<Member> = fc.record({
  finding,
  way: fc.constantFrom<Way>("at once", "as a promise", "as a promise", "throws", "is away"),
  mode: fc.constantFrom("watch", "enforce", "enforce"),
  turns: fc.nat(5),
});

async function later(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await undefined;
}

function lookOf({ finding: said, way }: Member, turns: number): () => Said | Promise<Said> {
  if (way === "at once") return () => said;
  return async () => {
    await later(turns);
    if (way === "throws") throw new Error("a bug");
    if (way === "is away") throw new Unavailable("dns", "gone");
    return said;
  };
}

/** What each recipient would hear, and who decided. */
async function heard(
  members: readonly Member[],
  order: readonly number[],
  turns: readonly number[],
): Promise<string[]> {
  const settings = order.map((rank) => {
    const each = members[rank] as Member;
    const rule = ruleOf(`made/up-${rank}`, lookOf(each, turns[rank] ?? 0), "header");
    return settingOf(rule, { rank, mode: each.mode });
  });
  const verdict = await pipelineOf(settings).pipeline.run("header", view);
  return [...view.recipients, undefined].map((recipient) => {
    const decision = verdict.for(recipient);
    if (decision.kind === "accept") return "accept";
    const { finding: by, rule } = decision.by;
    const reply = "reply" in by ? writeReply(by.reply).lines.join(" ") : "";
    return `${decision.kind} by ${rule.id}: ${reply}`;
  });
}

describe("the order inside a stage", () => {
  it("decides nothing: shuffled rules and shuffled answers make the same verdict and the same reply", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(member, { minLength: 1, maxLength: 8 }).chain((members) => {
          const ranks = members.map((_, rank) => rank);
          const shuffled = fc.shuffledSubarray(ranks, { minLength: ranks.length });
          return fc.tuple(
            fc.constant(members),
            shuffled,
            fc.array(fc.nat(5), { minLength: ranks.length, maxLength: ranks.length }),
          );
        }),
        async ([members, order, turns]) => {
          const plain = members.map((_, rank) => rank);
          const inOrder = await heard(
            members,
            plain,
            members.map((each) => each.turns),
          );
          expect(await heard(members, order, turns)).toEqual(inOrder);
        },
      ),
      { numRuns: 300 },
    );
  });
});
