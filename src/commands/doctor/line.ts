/** What the doctor found of one thing, and what to do about it. */
export interface Line {
  readonly about: string;
  readonly verdict: "ok" | "warn" | "fail" | "cannot know";
  readonly found: string;
  /** Absent where nothing has to be done. */
  readonly advice?: string;
}

export const ok = (about: string, found: string): Line => ({ about, verdict: "ok", found });
export const warn = (about: string, found: string, advice: string): Line => ({ about, verdict: "warn", found, advice });
export const fail = (about: string, found: string, advice: string): Line => ({ about, verdict: "fail", found, advice });
export const unknown = (about: string, found: string, advice: string): Line => ({
  about,
  verdict: "cannot know",
  found,
  advice,
});
