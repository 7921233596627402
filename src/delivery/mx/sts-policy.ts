/** MTA-STS policies as domains publish them (RFC 8461 3.2), read strictly and with bounds. */
export interface StsPolicy {
  readonly mode: "enforce" | "testing" | "none";
  /** Lower case; "*.example.com" stands for one label more. */
  readonly mx: readonly string[];
  /** Seconds it may be kept. */
  readonly maxAgeS: number;
}

/** A year (RFC 8461 3.2). */
const MAX_AGE_S_MAX = 31_557_600;
const MX_MAX = 100;

/** The id of the one record that says there is a policy; undefined: none does, or several (RFC 8461 3.1). */
export function stsIdOf(records: readonly string[]): string | undefined {
  const marked = records.filter((text) => /^v=STSv1\s*;/.test(text));
  if (marked.length !== 1) return undefined;
  return /(?:^|;)\s*id=([A-Za-z0-9]{1,32})\s*(?:;|$)/.exec(marked[0] ?? "")?.[1];
}

/** @returns undefined for what is no policy; a field given twice counts once, the first time (mx as often as it comes) */
export function readStsPolicy(text: string): StsPolicy | undefined {
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const parts = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]*:[ \t]*(.*?)[ \t]*$/.exec(line);
    if (!parts) {
      if (line.trim() === "") continue;
      return undefined;
    }
    const [, name = "", value = ""] = parts;
    if (name === "mx") mx.push(value.toLowerCase().replace(/\.$/, ""));
    else if (!fields.has(name)) fields.set(name, value);
  }
  const mode = fields.get("mode");
  const maxAge = fields.get("max_age") ?? "";
  if (fields.get("version") !== "STSv1" || !/^\d{1,10}$/.test(maxAge)) return undefined;
  if (mode !== "enforce" && mode !== "testing" && mode !== "none") return undefined;
  if (mx.length > MX_MAX || (mode !== "none" && mx.length === 0) || !mx.every(isPattern)) return undefined;
  return { mode, mx, maxAgeS: Math.min(Number(maxAge), MAX_AGE_S_MAX) };
}

const isPattern = (text: string): boolean => /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(text);

/** Is a host one that the policy names (RFC 8461 4.1)? A star is exactly one label. */
export function isNamed(policy: StsPolicy, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  const parent = name.slice(name.indexOf(".") + 1);
  return policy.mx.some((mx) => (mx.startsWith("*.") ? name.includes(".") && parent === mx.slice(2) : name === mx));
}
