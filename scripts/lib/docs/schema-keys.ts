import { z } from "zod";

/** One key of a schema, as a reader of the reference sees it. */
export interface SchemaKey {
  readonly name: string;
  /** Its `.describe()` text; "" when it has none. */
  readonly meaning: string;
  /** What may stand there, in words. */
  readonly allowed: string;
  /** What it is when nobody says anything; undefined: it may be left out and then is not there. */
  readonly fallback: unknown;
  /** Keys of a section, or of each element of a list of sections. */
  readonly keys: readonly SchemaKey[];
  readonly isList: boolean;
}

/** The parts of JSON Schema that zod writes for our schemas. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly additionalProperties?: Node | boolean;
}

/**
 * The keys of an object schema in the order they are declared.
 *
 * @param defaults what the schema makes of `{}`: knows the defaults that JSON Schema cannot say
 */
export function keysOf(schema: z.ZodType, defaults: unknown): SchemaKey[] {
  return keysOfNode(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Node, defaults);
}

function keysOfNode(node: Node, defaults: unknown): SchemaKey[] {
  const values = (typeof defaults === "object" && defaults !== null ? defaults : {}) as Record<string, unknown>;
  return Object.entries(node.properties ?? {}).map(([name, child]) => {
    const isList = child.items?.properties !== undefined;
    const fallback = values[name] ?? child.default;
    return {
      name,
      meaning: child.description ?? "",
      allowed: allowedBy(child),
      fallback,
      isList,
      keys: keysOfNode(isList ? (child.items as Node) : child, isList ? undefined : fallback),
    };
  });
}

const grouped = (n: number): string => n.toLocaleString("en");

function allowedBy(node: Node): string {
  if (node.enum) return node.enum.map(String).join(", ");
  if (node.anyOf) return [...new Set(node.anyOf.map(allowedBy))].join(" or ");
  switch (node.type) {
    case "integer":
    case "number":
      return `${node.type === "integer" ? "whole number" : "number"}${rangeOf(node)}`;
    case "boolean":
      return "true, false";
    case "array":
      return node.items?.properties ? "list" : `list of ${plural(node.items)}`;
    case "object":
      return node.properties ? "section" : `map to ${allowedBy(node.additionalProperties as Node)}`;
    default:
      return "text";
  }
}

const plural = (node: Node | undefined): string => (node?.type === "string" ? "texts" : "values");

function rangeOf({ type, minimum, exclusiveMinimum, maximum }: Node): string {
  const least = minimum ?? (type === "integer" && exclusiveMinimum !== undefined ? exclusiveMinimum + 1 : undefined);
  const above = least === undefined && exclusiveMinimum !== undefined ? `more than ${exclusiveMinimum}` : undefined;
  const known = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (least !== undefined && known) return `, ${grouped(least)} to ${grouped(maximum)}`;
  const from = above ?? (least !== undefined ? `${grouped(least)} or more` : undefined);
  return [from, known ? `at most ${grouped(maximum)}` : undefined]
    .filter(Boolean)
    .map((text) => `, ${text}`)
    .join("");
}
