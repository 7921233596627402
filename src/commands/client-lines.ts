/** A client as `client show` prints it. */
import type { Campaign, Client, SendingAddress, Suspension } from "../mail/client.ts";
import { clean } from "./output.ts";

const isoOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16)}Z`;

export function clientLines(client: Client): string[] {
  const { addresses, campaigns, suspended, ...plain } = client;
  return [
    ...Object.entries(plain).map(([name, value]) => line(name, worded(value))),
    ...(suspended ? [line("suspended", suspendedWords(suspended))] : []),
    ...(addresses ?? []).map((address) => line("address", addressWords(address))),
    ...(campaigns ?? []).map((campaign) => line("campaign", campaignWords(campaign))),
  ];
}

const line = (name: string, value: string): string => `${name.padEnd(14)} ${clean(value)}`;
const worded = (value: unknown): string => (Array.isArray(value) ? value.join(" ") || "-" : String(value));

export const suspendedWords = ({ reason, untilMs, by }: Suspension): string =>
  `until ${isoOf(untilMs)} by ${by}: ${reason}`;

const addressWords = ({ network, use, authority, registeredOn, change, endsOn }: SendingAddress): string =>
  `${network} ${use}, registered ${registeredOn} with ${authority}${change ? ", as a change" : ""}${endsOn === undefined ? "" : `, until ${endsOn}`}`;

export const campaignWords = (campaign: Campaign): string => {
  const { name, senders, helo, networks, recipientsMax, perMinuteMax, fromMs, untilMs } = campaign;
  return [
    `${name}: ${isoOf(fromMs)} to ${isoOf(untilMs)}`,
    `from ${senders.join(" ")}`,
    ...(helo.length > 0 ? [`HELO ${helo.join(" ")}`] : []),
    ...(networks.length > 0 ? [`by ${networks.join(" ")}`] : []),
    `to ${recipientsMax}${perMinuteMax === undefined ? "" : `, ${perMinuteMax} a minute`}`,
  ].join(", ");
};
