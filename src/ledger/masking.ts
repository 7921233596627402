/** Addresses as those see them who need to know what happened, not to whom: the first letter and the domain. */
import type { Entry } from "./entry.ts";

/** "li.wei@example.com" → "l***@example.com"; what is no address stays. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf("@");
  return at < 0 ? address : `${[...address][0] === "@" ? "" : [...address][0]}***${address.slice(at)}`;
}

const IN_TEXT = /[^\s<>(),;:"']+@[^\s<>(),;:"']+/g;

/** Every address in a text. @param known addresses that are looked for as they are, however odd */
export function maskText(text: string, known: readonly (string | undefined)[] = []): string {
  const first = known.reduce<string>(
    (done, address) => (address ? done.replaceAll(address, maskAddress(address)) : done),
    text,
  );
  return first.replace(IN_TEXT, maskAddress);
}

/** The same entry without addresses in it, wherever they stand. */
export function maskEntry(entry: Entry): Entry {
  const { sender, recipient, login, messageId, reply, evidence } = entry;
  const text = (value: string): string => maskText(value, [sender, recipient]);
  return {
    ...entry,
    ...(sender !== undefined && { sender: maskAddress(sender) }),
    ...(recipient !== undefined && { recipient: maskAddress(recipient) }),
    ...(login !== undefined && { login: maskAddress(login) }),
    ...(messageId !== undefined && { messageId: text(messageId) }),
    ...(reply !== undefined && { reply: text(reply) }),
    ...(evidence && {
      evidence: Object.fromEntries(
        Object.entries(evidence).map(([name, value]) => [name, typeof value === "string" ? text(value) : value]),
      ),
    }),
  };
}
