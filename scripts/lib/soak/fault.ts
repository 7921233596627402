/** Something that goes wrong, and how it is put right again. */
export interface Fault {
  readonly name: string;
  begin(): unknown;
  /** Absent: it is over when it has begun. */
  readonly end?: () => unknown;
}

export const once = (name: string, begin: () => unknown): Fault => ({ name, begin });
export const lasting = (name: string, begin: () => unknown, end: () => unknown): Fault => ({ name, begin, end });
