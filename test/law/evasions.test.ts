import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { matchLabel } from "../../src/law/label.ts";
import { loadPacks } from "../../src/law/packs.ts";
import { Headers } from "../../src/mail/headers.ts";
import { decodedSubject } from "../../src/mail/subject.ts";
import { chineseAd, type Disguise, disguise, exactAd, nearMiss, randomFrom, vietnameseAd } from "./evasions.ts";

const packs = loadPacks(join(import.meta.dirname, "../../config/packs"));
const labelOf = (id: string) => {
  const label = packs.get(id)?.label;
  if (!label) throw new Error(`no label in ${id}`);
  return label;
};
const china = labelOf("cn-2006");
const vietnam = labelOf("vn-2008");

/** Runs many and returns the stories of those that came out wrong. */
function wrong(
  count: number,
  make: (random: () => number) => Disguise,
  isRight: (subject: string) => boolean,
): string[] {
  const random = randomFrom(count);
  const stories: string[] = [];
  for (let made = 0; made < count; made += 1) {
    const { block, text, story } = make(random);
    const subject = decodedSubject(Headers.parse(block));
    if (subject !== text.normalize("NFC").replace(/^ +| +$/g, "") || !isRight(subject)) stories.push(story);
  }
  return stories.slice(0, 10);
}

describe("nineteen thousand Subjects", () => {
  it("with the label of China, however written and encoded, carry it", () =>
    expect(
      wrong(
        3000,
        (random) => disguise(random, chineseAd(random)),
        (s) => matchLabel(china, s).found,
      ),
    ).toEqual([]));

  it("with a label of Vietnam, however encoded, carry it, and its code", () =>
    expect(
      wrong(
        2000,
        (random) => disguise(random, vietnameseAd(random)),
        (subject) => {
          const match = matchLabel(vietnam, subject);
          return match.found && match.code === /^\[\w+ (\w{4})\]/.exec(subject)?.[1];
        },
      ),
    ).toEqual([]));

  it.each([
    ["(광고)", "kr"],
    ["[QC]", "vn-2020"],
    ["[AD]", "vn-2020"],
    ["[QC 9ZZ1]", "vn-2012"],
    ["<ADV> ", "sg"],
  ])("with %s, however encoded, carry the label of %s", (label, law) =>
    expect(
      wrong(
        1000,
        (random) => disguise(random, exactAd(random, label)),
        (subject) => matchLabel(labelOf(law), subject).found,
      ),
    ).toEqual([]),
  );

  const near: [label: string, count: number, law: string][] = [
    ["广告", 1500, "cn-2006"],
    ["AD", 1500, "cn-2006"],
    ["[QC]", 1000, "vn-2008"],
    ["[ADV 1231]", 1000, "vn-2008"],
    ["(광고)", 1000, "kr"],
    ["[AD]", 1000, "vn-2020"],
    ["[QC ABC1]", 1000, "vn-2012"],
    ["<ADV>", 1000, "sg"],
  ];
  it.each(near)("that only come near %s do not carry a label", (label, count, law) =>
    expect(
      wrong(
        count,
        (random) => disguise(random, nearMiss(random, label)),
        (subject) => !matchLabel(labelOf(law), subject).found,
      ),
    ).toEqual([]),
  );
});
