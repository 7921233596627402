/**
 * Puts a label in front of the Subject of our own clients' mail. Never of anybody else's, and never of mail that somebody has signed: the
 * signature would not hold any more, and the signer, not we, answers for the Subject.
 */
import { matchLabel } from "../../law/label.ts";
import type { HeaderEdit } from "../../mail/edits.ts";
import type { Headers } from "../../mail/headers.ts";
import { readSubject } from "../../mail/subject.ts";
import { type HeaderView, isOwn } from "../../mail/views.ts";
import type { Group } from "../groups.ts";

const SIGNATURES = ["dkim-signature", "domainkey-signature", "arc-seal", "arc-message-signature"];
/** A Subject that is longer stays as it is, characters. */
const SUBJECT_MAX = 2_000;

export interface LabelEdit {
  readonly text: string;
  readonly edit: HeaderEdit;
}

/**
 * @param labels texts that would do for everybody, the best first
 * @returns undefined where the label may not or cannot be put there
 */
export function labelEdit(
  { session, headers }: HeaderView,
  groups: readonly Group[],
  labels: readonly string[],
): LabelEdit | undefined {
  if (!isOwn(session) || SIGNATURES.some((name) => headers.count(name) > 0)) return undefined;
  const old = subjectOf(headers);
  if (old === undefined) return undefined;
  for (const text of labels) {
    const value = old === "" ? inHeader(text) : `${inHeader(text)} ${folded(old)}`;
    const seen = readSubject(Buffer.from(value, "utf8").toString("latin1").replace(/\r\n/g, ""));
    const does = groups.every(({ packs }) => packs.some(({ label }) => label && matchLabel(label, seen).found));
    if (does) return { text, edit: editOf(headers, value) };
  }
  return undefined;
}

/** As text; undefined: there are several, or it is in bytes of a charset that nobody names. */
function subjectOf(headers: Headers): string | undefined {
  if (headers.count("subject") > 1) return undefined;
  const bytes = Buffer.from(headers.first("subject") ?? "", "latin1");
  const text = bytes.toString("utf8");
  return text.length <= SUBJECT_MAX && Buffer.from(text, "utf8").equals(bytes) ? text : undefined;
}

/** ASCII as it is, everything else as one encoded word (RFC 2047). A blank that belongs to the label is the one that follows. */
const inHeader = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) ? text.trimEnd() : `=?UTF-8?B?${Buffer.from(text.trimEnd()).toString("base64")}?=`;

/** Lines break before encoded words again, as they did before they were read. */
const folded = (text: string): string => text.replace(/[ \t]+(?==\?)/g, "\r\n ");

function editOf({ fields }: Headers, value: string): HeaderEdit {
  const field = fields.find(({ name }) => name === "subject");
  return field ? { kind: "replace", field, value } : { kind: "add", name: "Subject", value };
}
