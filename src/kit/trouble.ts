/**
 * The second of the three kinds of trouble (src/README.md): the world failed. Policy speaks in findings,
 * a bug throws anything else, and whatever the world does to us arrives as `Unavailable`, which is answered
 * with a 4xx and never with an accept.
 */
export type Dependency = "store" | "ledger" | "dns" | "next-hop" | "disk" | "rule" | "scorer";

/** Something outside this process did not answer, in time or at all. */
export class Unavailable extends Error {
  readonly dependency: Dependency;

  constructor(dependency: Dependency, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "Unavailable";
    this.dependency = dependency;
  }
}

/** A command line, file or configuration that cannot be used as given. `problems` lists every one of them. */
export class Misuse extends Error {
  readonly problems: readonly string[];

  constructor(message: string, problems: readonly string[] = []) {
    super([message, ...problems.map((problem) => `  ${problem}`)].join("\n"));
    this.name = "Misuse";
    this.problems = problems;
  }
}
