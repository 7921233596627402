/** What a bounce says of the recipients it is about: message/delivery-status, as programs read it (RFC 3464; RFC 6533). */

/** How it stands with one recipient. */
export interface StatusOf {
  /** Lower case: failed, delayed, delivered, relayed, expanded. */
  readonly action: string;
  /** "5.1.1"; of the server that refused, where it says more than the field does. */
  readonly status: string;
}

/** The last of a mail's header lines, and of a part's. */
const PART = /^content-type:[ \t]*message\/(?:global-)?delivery-status\b/im;

/**
 * @param text the mail, or as much of it as there is
 * @returns one for each recipient, in their order; none where the mail is no such report, or its part is encoded
 */
export function deliveryStatuses(text: string): StatusOf[] {
  const lines = text.replace(/\r\n/g, "\n");
  const start = PART.exec(lines)?.index;
  if (start === undefined) return [];
  const head = lines.indexOf("\n\n", start);
  if (head < 0 || /^content-transfer-encoding:[ \t]*(?:base64|quoted-printable)/im.test(lines.slice(start, head)))
    return [];
  const [part = ""] = lines.slice(head + 2).split(/\n--/, 1);
  // The first group of fields is about the mail.
  const groups = part.replace(/\n[ \t]+/g, " ").split(/\n{2,}/);
  return groups.flatMap((fields) => {
    const action = fieldOf(fields, "action").toLowerCase();
    if (action === "") return [];
    const [status = ""] = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(fieldOf(fields, "status")) ?? [];
    const [said] = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(fieldOf(fields, "diagnostic-code")) ?? [];
    return [{ action, status: /\.0\.0$/.test(status) && said !== undefined ? said : status }];
  });
}

const fieldOf = (fields: string, name: string): string =>
  new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(fields)?.[1]?.trim() ?? "";
