import type { DetectedConsequence, Pack } from "../law/pack.ts";
import type { Source } from "../law/source.ts";

const cited = ({ cite, confidence }: Source): string => `${cite} (${confidence})`;

const block = (head: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ["", head, ...lines.map((line) => `  ${line}`)];

const consequences = ({ clients, strangers }: { clients: string; strangers: string }): string =>
  `when it is missing: ${clients} for our clients, ${strangers} for strangers`;

/** A pack as an operator or a lawyer reads it. */
export function packLines(pack: Pack): string[] {
  const { id, title, version, status, country, inForce } = pack;
  const span = [inForce.from && `from ${inForce.from}`, inForce.until && `until ${inForce.until}`].filter(Boolean);
  return [
    `${id}: ${title}`,
    `${status}, country ${country}, version ${version}${span.length > 0 ? `, in force ${span.join(" ")}` : ""}`,
    ...block("label", labelLines(pack)),
    ...block("consent", consentLines(pack)),
    ...block("refusal", refusalLines(pack)),
    ...block("number", capLines(pack)),
    ...block("management codes", codeLines(pack)),
    ...block("customers", customerLines(pack)),
    ...block("undeclared mail that reads like advertising", detectedLines(pack)),
    ...block("contents of an advertisement", contentLines(pack)),
    ...block("kept", retentionLines(pack)),
    ...block("articles", articleLines(pack)),
  ];
}

function labelLines({ label }: Pack): string[] {
  if (!label) return [];
  const { accept, legacy, position, codePattern, onMissing, source } = label;
  return [
    `${accept.join(" or ")}${position === "front" ? ", at the front of the Subject" : ", the very first characters"}`,
    ...(codePattern === undefined ? [] : [`{code}: ${codePattern}`]),
    ...(legacy.length > 0 ? [`of an older rule, not accepted: ${legacy.join(" or ")}`] : []),
    consequences(onMissing),
    cited(source),
  ];
}

const consentLines = ({ consent }: Pack): string[] =>
  consent
    ? [
        consent.model === "opt-in" ? "opt-in: only after a recorded yes" : "opt-out: until a recorded no",
        consequences(consent.onMissing),
        cited(consent.source),
      ]
    : [];

function refusalLines({ refusal }: Pack): string[] {
  if (!refusal) return [];
  const { stopHours, stopBusinessDays, confirmOnce, confirmDays, channels, validDays, onMissing, source } = refusal;
  const leaves =
    stopHours === undefined ? "no time named" : stopHours === 0 ? "immediately" : `within ${stopHours} hours`;
  return [
    `the law: ${stopBusinessDays === undefined ? leaves : `within ${stopBusinessDays} business days`}; here: at once`,
    ...(confirmOnce ? [`confirmed once${confirmDays === undefined ? "" : `, within ${confirmDays} days`}`] : []),
    ...(channels.length > 0 ? [`ways: ${channels.join(", ")}`] : []),
    ...(validDays === undefined ? [] : [`ways go on working ${validDays} days after the sending`]),
    `when a mail comes all the same: ${onMissing.clients} for our clients, ${onMissing.strangers} for strangers`,
    cited(source),
  ];
}

const capLines = ({ caps }: Pack): string[] =>
  caps.flatMap(({ max, windowHours, of, unlessAgreed, onMissing, source }) => [
    `${max}${of === "similar" ? " similar" : ""} in ${windowHours} hours from one advertiser to one address`,
    ...(unlessAgreed ? ["a number the recipient agreed to stands in its place"] : []),
    `beyond: ${onMissing.clients} for our clients, ${onMissing.strangers} for strangers`,
    cited(source),
  ]);

const codeLines = ({ codes }: Pack): string[] =>
  codes
    ? [
        `valid ${codes.validYears} years, renewed at least ${codes.renewDaysBefore} days before the end`,
        `in a label, one that is not valid or somebody else's: ${codes.onMissing.clients} for our clients, ${codes.onMissing.strangers} for strangers`,
        cited(codes.source),
        ...(codes.service
          ? [`who advertises for others holds one, or: ${codes.service.onMissing.clients}`, cited(codes.service.source)]
          : []),
      ]
    : [];

const customerLines = ({ licence, addresses, alignment }: Pack): string[] => [
  ...(licence
    ? [
        `a permit or filing number for: ${licence.kinds.join(", ")}`,
        consequences(licence.onMissing),
        cited(licence.source),
      ]
    : []),
  ...(addresses
    ? [
        `registered addresses are used ${addresses.usableAfterDays} days after, changes ${addresses.changeDays} days after`,
        ...(addresses.kinds.length > 0 ? [`must have some: ${addresses.kinds.join(", ")}`] : []),
        consequences(addresses.onMissing),
        cited(addresses.source),
      ]
    : []),
  ...(alignment
    ? [
        "bulk mail is signed for the domain in From, or SPF proves it",
        consequences(alignment.onMissing),
        cited(alignment.source),
      ]
    : []),
];

const DETECTED: Readonly<Record<DetectedConsequence, string>> = {
  apply: "label and consent are asked for",
  hold: "held",
  note: "noted",
  off: "not looked for",
};

const detectedLines = ({ label, consent, detected }: Pack): string[] =>
  label || consent
    ? [`of our clients: ${DETECTED[detected.clients]}; of strangers: ${DETECTED[detected.strangers]}`]
    : [];

const contentLines = ({ contents }: Pack): string[] =>
  contents.map(({ item, languages, validDays, source }) => {
    const more = [
      ...(languages ? [`in ${languages.join(" and ")}`] : []),
      ...(validDays === undefined ? [] : [`valid for ${validDays} days`]),
    ];
    return `${[item, ...more].join(", ")}: ${cited(source)}`;
  });

function retentionLines({ retention }: Pack): string[] {
  if (!retention) return [];
  const { logDays, consentDays, contentDays, source } = retention;
  const spans = { "send and receive record": logDays, consents: consentDays, advertisements: contentDays };
  return [
    ...Object.entries(spans).flatMap(([what, days]) => (days === undefined ? [] : [`${what}: ${days} days at least`])),
    cited(source),
  ];
}

const articleLines = ({ articles }: Pack): string[] =>
  articles.flatMap(({ says, source, fine, enforcedBy, notEnforced }) => [
    cited(source),
    `  ${says.trim()}`,
    ...(fine === undefined ? [] : [`  fine: ${fine.trim()}`]),
    ...(enforcedBy ? [`  held to by ${enforcedBy.join(", ")}`] : []),
    ...(notEnforced === undefined ? [] : [`  not enforced: ${notEnforced.trim()}`]),
  ]);
