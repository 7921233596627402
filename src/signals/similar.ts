/**
 * Runs of similar local parts. Addresses that a program makes up come in families: numbers counted up (user001, user002), one
 * letter turned (asmith, bsmith; lia, lib). Each family is one shape; an honest list of unknown people has hardly one twice.
 */

/** Longest shape that is kept; longer local parts are cut. */
const SHAPE_MAX = 64;

/** The families a local part belongs to: digits blotted out, its first, its last character blotted out. */
export function shapesOf(local: string): string[] {
  const word = local.toLowerCase().slice(0, SHAPE_MAX);
  const chars = [...word];
  if (chars.length < 2) return [`?${chars.length}`];
  const shapes = [`?${chars.slice(1).join("")}`, `${chars.slice(0, -1).join("")}?`];
  if (/\p{N}/u.test(word)) shapes.push(word.replace(/\p{N}+/gu, "#"));
  return shapes;
}
