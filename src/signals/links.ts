/** The host a link leads to, lower case, "" when it names none (mailto:, tel:, a path). Bounded work, never throws. */
export function hostOf(link: string): string {
  const match = /^\s*(?:https?:)?\/\/(?:[^/?#@\s]{0,200}@)?([^/?#:@\s]{1,253})|^\s*(www\.[^/?#:@\s]{1,250})/i.exec(
    link,
  );
  return (match?.[1] ?? match?.[2] ?? "").toLowerCase().replace(/\.$/, "");
}
