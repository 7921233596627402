import type { Told } from "../../desk/explanation.ts";
import { type Language, PAGES, type PageWord } from "../../desk/letters.ts";

const LANGUAGES: readonly Language[] = ["zh", "vi", "en"];
const HTML_LANGUAGE: Readonly<Record<Language, string>> = { en: "en", zh: "zh-Hans", vi: "vi" };

/** No script, no image, nothing from elsewhere, and no page in whose frame the button could be hidden. */
export const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-robots-tag": "noindex",
} as const;

/** A page that says one thing in three languages. */
export const statement = (word: PageWord, advertiser = ""): string =>
  page(LANGUAGES.map((language) => paragraph(language, `${PAGES[language][word]} ${bold(advertiser)}`)).join(""));

/** A page that asks, and a button that answers: opening it does nothing (RFC 8058: a GET must not act). */
export function question(word: "refuse" | "agree", advertiser: string): string {
  const asked = LANGUAGES.map((language) => paragraph(language, `${PAGES[language][word]} ${bold(advertiser)}`));
  const button = LANGUAGES.map((language) => PAGES[language][`${word}Button`]).join(" · ");
  const field = '<input type="hidden" name="List-Unsubscribe" value="One-Click">';
  return page(`${asked.join("")}<form method="post">${field}<button>${button}</button></form>`);
}

/** What a refusal meant: one part for each language. */
export const explanation = (told: readonly Told[]): string =>
  page(
    LANGUAGES.flatMap((language) => told.filter((each) => each.language === language))
      .map(
        ({ language, name, lines }) =>
          `<section lang="${HTML_LANGUAGE[language]}"><h2>${escaped(name)}</h2>${linesOf(lines)}</section>`,
      )
      .join(""),
  );

const linesOf = (lines: Told["lines"]): string =>
  lines.map(([label, value]) => `<p>${label ? `${escaped(label)}: ${bold(value)}` : escaped(value)}</p>`).join("");

const paragraph = (language: Language, html: string): string => `<p lang="${HTML_LANGUAGE[language]}">${html}</p>`;
const bold = (text: string): string => (text ? `<b>${escaped(text)}</b>` : "");
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const page = (body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
  `<title>consentry</title><style>body{font:1.1em/1.6 sans-serif;max-width:36em;margin:3em auto;padding:0 1em}` +
  `button{font:inherit;padding:.6em 1.2em}</style><body>${body}</body></html>`;
