/** Authentication-Results (RFC 8601): ours written, those that others wrote in our name found. */
import { withoutComments } from "../mail/comments.ts";
import type { Field, Headers } from "../mail/headers.ts";

/** One method's result: "spf=pass" with what it is about. */
export interface MethodResult {
  readonly method: string;
  readonly result: string;
  /** For people: a comment. */
  readonly comment?: string | undefined;
  readonly reason?: string | undefined;
  /** "smtp.mailfrom": "bob@example.com" */
  readonly properties?: Readonly<Record<string, string | undefined>>;
}

export const RESULTS_HEADER = "Authentication-Results";

/** Longest value of a property or reason; the rest says nothing more. */
const VALUE_MAX = 255;

/** The field's value, one method a line, without the line end. */
export const writeResults = (hostname: string, methods: readonly MethodResult[]): string =>
  [hostname, ...(methods.length > 0 ? methods.map(writeMethod) : ["none"])].join(";\r\n\t");

/** The same on one line, as it stands in an ARC set. */
export const writeResultsFlat = (hostname: string, methods: readonly MethodResult[]): string =>
  [hostname, ...(methods.length > 0 ? methods.map(writeMethod) : ["none"])].join("; ");

function writeMethod({ method, result, comment, reason, properties = {} }: MethodResult): string {
  let text = `${method}=${result}`;
  if (comment !== undefined) text += ` (${printable(comment).replace(/[()\\]/g, "?")})`;
  if (reason !== undefined) text += ` reason=${quoted(reason)}`;
  for (const name in properties) {
    const value = properties[name];
    if (value !== undefined) text += ` ${name}=${pvalue(value)}`;
  }
  return text;
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]+/g, "?").slice(0, VALUE_MAX);
const quoted = (text: string): string => `"${printable(text).replace(/["\\]/g, "\\$&")}"`;

/** A token, or local-part@domain of tokens, as it is; everything else quoted. */
const pvalue = (text: string): string => (/^[A-Za-z0-9!#$%&'*+\-.^_`{|}~@]+$/.test(text) ? text : quoted(text));

/** The fields that claim to be written by us: no earlier server may say so (RFC 8601 5). */
export const claimedResults = ({ fields }: Headers, hostname: string): Field[] =>
  fields.filter(({ name, value }) => name === "authentication-results" && authorOf(value) === hostname.toLowerCase());

/** The server that a field names, in lower case, quotes, comments, a version and the root's dot removed. */
function authorOf(value: string): string {
  const [, quotedName, name = ""] = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/.exec(withoutComments(value)) ?? [];
  const written = quotedName?.replace(/\\(.)/g, "$1") ?? name;
  return written
    .trim()
    .toLowerCase()
    .replace(/\/\d+$/, "")
    .replace(/\.$/, "");
}
