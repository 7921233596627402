/** Every talk through the SMTP door, through Postfix with the milter door and through Sendmail with it: one table at the end. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { type Mta, type OwnAnswer, openThrough, TALKS, throughMilter } from "../helpers/mta-talks.ts";
import { playTalk } from "../helpers/play-talk.ts";
import { postfixIsHere } from "../helpers/postfix.ts";
import { startPostfixForTalks } from "../helpers/postfix-talks.ts";
import { createMatrix, verdictsOf } from "../helpers/talk-matrix.ts";

const matrix = createMatrix();

const POSTFIX_SAYS: readonly OwnAnswer[] = [];

interface Tested {
  readonly door: string;
  readonly skipName: string;
  readonly here: boolean;
  readonly own: readonly OwnAnswer[];
  readonly start: () => Promise<Mta & { stop(): Promise<void> }>;
}

const MTAS: readonly Tested[] = [
  {
    door: "Postfix + milter",
    skipName: "postfix",
    here: postfixIsHere(),
    own: POSTFIX_SAYS,
    start: startPostfixForTalks,
  },
];

describe.each(MTAS)("talks through $door", ({ door, skipName, here, own, start }) => {
  if (!here) return it.skip(`(${skipName} cannot be run here)`, () => {});
  let mta: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    mta = await start();
  });
  afterAll(() => mta?.stop());

  for (const each of TALKS) {
    const { name, talk } = each;
    const reason = talk.skips.get(skipName);
    if (reason !== undefined) {
      matrix.note(name, door, `- ${reason}`);
      it.skip(`${name} (not through ${door}: ${reason})`, () => {});
      continue;
    }
    it(`${name}: ${talk.title}`, async () => {
      const opened = await openThrough(mta, talk);
      await playTalk(throughMilter(each, own), opened);
      matrix.note(name, door, verdictsOf(await opened.entries()));
    });
  }
});

afterAll(() => {
  process.stdout.write(`\n${matrix.print()}\n`);
});
