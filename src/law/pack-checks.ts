/**
 * What a pack says against itself: things the schema cannot see because two places of the file must agree. One function
 * for each promise that rules rely on.
 */
import { matchLabel } from "./label.ts";
import type { Label, Pack } from "./pack.ts";
import { mayRefuse, type Source } from "./source.ts";

/** One contradiction, and the key where it stands. */
export interface Contradiction {
  readonly key: readonly (string | number)[];
  readonly says: string;
}

export const contradictions = (pack: Pack): Contradiction[] => [
  ...uncitedSources(pack),
  ...doubledArticles(pack),
  ...overconfident(pack),
  ...codeWithoutForm(pack),
  ...codesWithoutLabel(pack),
  ...saidTwice(pack),
  ...wrongDates(pack),
  ...wrongExamples(pack),
];

const quoted = (value: unknown): string => JSON.stringify(value);

interface Requirement {
  readonly key: readonly (string | number)[];
  readonly source: Source;
  readonly onMissing?: Readonly<Record<string, string>>;
}

/** Every requirement with its key. */
const requirements = (pack: Pack): Requirement[] => [
  ...(["label", "consent", "scope", "refusal", "codes", "retention"] as const).flatMap((name) => {
    const requirement = pack[name];
    return requirement ? [{ ...requirement, key: [name] }] : [];
  }),
  ...(pack.codes?.service ? [{ ...pack.codes.service, key: ["codes", "service"] }] : []),
  ...pack.caps.map((cap, index) => ({ ...cap, key: ["caps", index] })),
  ...pack.contents.map((content, index) => ({ ...content, key: ["contents", index] })),
];

/** What a requirement cites can be read up in `articles`, and is as sure there as here. */
function uncitedSources(pack: Pack): Contradiction[] {
  const articles = new Map(pack.articles.map(({ source }) => [source.cite, source.confidence] as const).reverse());
  return requirements(pack).flatMap(({ key, source: { cite, confidence } }) => {
    const known = articles.get(cite);
    if (known === undefined) {
      return [
        { key: [...key, "source", "cite"], says: `${quoted(cite)} does not do: expected one of the cites in articles` },
      ];
    }
    if (known === confidence) return [];
    const says = `${quoted(confidence)} does not do: expected ${quoted(known)}, as in the article it cites`;
    return [{ key: [...key, "source", "confidence"], says }];
  });
}

function doubledArticles(pack: Pack): Contradiction[] {
  const seen = new Set<string>();
  return pack.articles.flatMap(({ source: { cite } }, index) => {
    if (seen.has(cite))
      return [
        {
          key: ["articles", index, "source", "cite"],
          says: `${quoted(cite)} does not do: expected one article for each cite, and it stands above already`,
        },
      ];
    seen.add(cite);
    return [];
  });
}

/** What nobody has confirmed refuses nobody's mail. */
function overconfident(pack: Pack): Contradiction[] {
  return requirements(pack).flatMap(({ key, source, onMissing = {} }) => {
    if (mayRefuse(source)) return [];
    return Object.entries(onMissing).flatMap(([whom, wanted]) => {
      const says = `${quoted(wanted)} does not do: expected "note", because the source is general knowledge (GK)`;
      return wanted === "note" ? [] : [{ key: [...key, "onMissing", whom], says }];
    });
  });
}

/** A label with a code says what a code looks like, and no other does. */
function codeWithoutForm({ label }: Pack): Contradiction[] {
  if (!label) return [];
  const coded = [...label.accept, ...label.legacy].some((text) => text.includes("{code}"));
  if (coded === (label.codePattern !== undefined)) return [];
  return [
    coded
      ? { key: ["label"], says: "codePattern is missing: expected the form of the {code} in its texts" }
      : {
          key: ["label", "codePattern"],
          says: `${quoted(label.codePattern)} does not do: expected a label text with a {code}`,
        },
  ];
}

/** Codes are read in labels. */
const codesWithoutLabel = ({ codes, label }: Pack): Contradiction[] =>
  codes && label?.codePattern === undefined
    ? [{ key: ["codes"], says: "expected a label with a {code} where codes are asked for" }]
    : [];

/** An article is held to, or it is said why not. */
const saidTwice = ({ articles }: Pack): Contradiction[] =>
  articles.flatMap(({ enforcedBy, notEnforced }, index) =>
    enforcedBy && notEnforced !== undefined
      ? [{ key: ["articles", index], says: "expected enforcedBy or notEnforced, and not both" }]
      : [],
  );

function wrongDates({ status, inForce: { from, until } }: Pack): Contradiction[] {
  if (status === "historic" && until === undefined) {
    return [{ key: ["inForce"], says: "until is missing: expected the last day of a historic law" }];
  }
  if (from === undefined || until === undefined || from < until) return [];
  return [{ key: ["inForce", "until"], says: `${quoted(until)} does not do: expected a day after ${from}` }];
}

/** The examples go through the matcher that rules use. */
function wrongExamples({ label, examples }: Pack): Contradiction[] {
  if (!label) return [];
  return (["labelled", "unlabelled"] as const).flatMap((name) => {
    if (examples[name].length === 0)
      return [{ key: ["examples"], says: `${name} is missing: expected at least one Subject` }];
    return examples[name].flatMap((subject, index) => wrongExample(label, { name, subject, index }));
  });
}

function wrongExample(
  label: Label,
  { name, subject, index }: { name: "labelled" | "unlabelled"; subject: string; index: number },
): Contradiction[] {
  const match = matchLabel(label, subject);
  if (match.found === (name === "labelled")) return [];
  const seen = match.found ? `the label ${quoted(match.text)} is found in it` : "no label is found in it";
  const near = !match.found && match.near ? ` (${match.near})` : "";
  return [
    { key: ["examples", name, index], says: `${quoted(subject)} does not do: expected ${name}, and ${seen}${near}` },
  ];
}
