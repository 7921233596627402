import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { matchLabel } from "../../src/law/label.ts";
import { loadPacks } from "../../src/law/packs.ts";

const packs = loadPacks(join(import.meta.dirname, "../../config/packs"));

/** What each law takes and what it does not, as the comparison of the laws has it. */
const table: [id: string, takes: string[], takesNot: string[]][] = [
  [
    "cn-2006",
    ["广告 夏季", "【广告】夏季", "AD: sale", "[AD] sale", "AD夏季", "广告", "（广告）x", "〈AD〉x", " AD x"],
    ["Adobe x", "ADVERT x", "x 广告", "ad: x", "廣告 x", "Re: 广告 x", "Fwd: AD x", "[list] 广告 x", ""],
  ],
  ["cn-2026", ["广告 夏季", "AD: sale"], ["Adobe x", "廣告 x", "Re: 广告 x"]],
  [
    "vn-2020",
    ["[QC] x", "[AD] x", "[QC]x"],
    ["[ADV] x", "[QC 1231] x", "[ADV 1231] x", "QC x", "(QC) x", " x [QC]", "[qc] x", "Re: [QC] x", "[DKQC] x"],
  ],
  ["vn-2012", ["[QC] x", "[ADV] x", "[QC ABC1] x"], ["[AD] x", "[QC ABC2] x", "[QC abc1] x", "[QCABC1] x", "[ABC1] x"]],
  [
    "vn-2008",
    ["[QC] x", "[ADV] x", "[QC 1231] x", "[ADV A1B1] x"],
    ["[AD] x", "[QC 1232] x", "[QC 1233,1232] x", "[1231] x", "[QC  1231] x"],
  ],
  [
    "kr",
    ["(광고) x", "(광고)x"],
    ["(광.고) x", "(광~고) x", "(광 고) x", "(廣告) x", "[광고] x", "광고 x", "x (광고)", "(ad) x", "(성인광고) x"],
  ],
  ["sg", ["<ADV> x"], ["<ADV>x", "<ADV>", "<adv> x", "ADV x", "[ADV] x", "Re: <ADV> x", "advertisement x", "AD x"]],
];

const labelOf = (id: string) => packs.get(id)?.label ?? expect.fail(`no label in ${id}`);

describe.each(table)("the label of %s", (id, takes, takesNot) => {
  it.each(takes)("is seen in %j", (subject) => expect(matchLabel(labelOf(id), subject).found).toBe(true));
  it.each(takesNot)("is not seen in %j", (subject) => expect(matchLabel(labelOf(id), subject).found).toBe(false));
});

it("is in the table of every law that has one", () => {
  const with_ = [...packs.values()].filter(({ label }) => label).map(({ id }) => id);
  expect(table.map(([id]) => id).sort()).toEqual(with_.sort());
});

it.each([...packs.values()].flatMap((pack) => (pack.label ? [pack] : [])))(
  "every example of $id is told right, and what another law calls its label is told apart",
  ({ label, examples }) => {
    const wrong = [
      ...examples.labelled.filter((subject) => label && !matchLabel(label, subject).found),
      ...examples.unlabelled.filter((subject) => label && matchLabel(label, subject).found),
    ];
    expect(wrong).toEqual([]);
  },
);
