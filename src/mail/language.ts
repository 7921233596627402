/** The languages we write to people in. */
export const LANGUAGES = ["en", "zh", "vi"] as const;
export type Language = (typeof LANGUAGES)[number];

const OF_COUNTRY: Readonly<Record<string, Language>> = { CN: "zh", TW: "zh", HK: "zh", VN: "vi" };

/**
 * What people of these countries read, and English for everybody; the first is the most likely.
 * @param countries ISO 3166, in this order; others add nothing
 */
export function languagesOf(countries: readonly string[]): [Language, ...Language[]] {
  const native = countries.flatMap((country) => OF_COUNTRY[country] ?? []);
  return [...new Set<Language>([...native, "en"])] as [Language, ...Language[]];
}
