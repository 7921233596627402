/** Suites of third parties: they lie beside the checkout and never in it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { HOUSE } from "../source.ts";

/** Another folder of the same shape can be named, to run the suites on other cases. */
export const CORPUS = process.env.CONSENTRY_CORPUS ?? join(HOUSE, "..", "shared", "corpus");

export const suitePath = (...parts: string[]): string => join(CORPUS, ...parts);
export const hasSuite = (name: string): boolean => existsSync(join(CORPUS, name));
