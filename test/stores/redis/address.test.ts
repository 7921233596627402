import { describe, expect, it } from "vitest";
import { Misuse } from "../../../src/kit/trouble.ts";
import { describeAddress, parseRedisUrl, type RedisAddress } from "../../../src/stores/redis/address.ts";

const one = (host: string, port: number) => [{ host, port }];

const GOOD: readonly (readonly [string, RedisAddress])[] = [
  ["redis://cache", { kind: "single", tls: false, hosts: one("cache", 6379), db: 0 }],
  ["redis://cache:7000/2", { kind: "single", tls: false, hosts: one("cache", 7000), db: 2 }],
  ["redis://cache/", { kind: "single", tls: false, hosts: one("cache", 6379), db: 0 }],
  ["rediss://[2001:db8::1]:7000", { kind: "single", tls: true, hosts: one("2001:db8::1", 7000), db: 0 }],
  ["redis://:p%40ss@cache", { kind: "single", tls: false, hosts: one("cache", 6379), password: "p@ss", db: 0 }],
  ["redis://:a@b:c/@cache", { kind: "single", tls: false, hosts: one("cache", 6379), password: "a@b:c/", db: 0 }],
  [
    "redis://relay:s%3Acret@cache:1/9",
    { kind: "single", tls: false, hosts: one("cache", 1), username: "relay", password: "s:cret", db: 9 },
  ],
  [
    "redis+sentinel://:pw@s1,s2:26380/main/1?sentinelPassword=w%26tch",
    {
      kind: "sentinel",
      tls: false,
      hosts: [...one("s1", 26379), ...one("s2", 26380)],
      password: "pw",
      sentinelPassword: "w&tch",
      master: "main",
      db: 1,
    },
  ],
  [
    "redis+cluster://n1:7001,n2:7002,[::1]:7003",
    { kind: "cluster", tls: false, hosts: [...one("n1", 7001), ...one("n2", 7002), ...one("::1", 7003)], db: 0 },
  ],
  ["rediss+cluster://n1", { kind: "cluster", tls: true, hosts: one("n1", 6379), db: 0 }],
];

const BAD: readonly (readonly [string, RegExp])[] = [
  ["redis://", /not a Redis address/],
  ["redis:cache", /not a Redis address/],
  ["redis+galaxy://:geheim@n1", /not a Redis address/],
  ["redis://:geheim@n1:0", /0 is not a port/],
  ["redis://:geheim@n1:65536", /65536 is not a port/],
  ["redis://:geheim@n1:http", /"n1:http" is not host:port/],
  ["redis://:geheim@n1,n2", /several hosts need/],
  ["redis://:geheim@n1/first", /"first" is not the number of a database/],
  ["redis://:geheim@n1/1/2", /too much after the host/],
  ["redis+sentinel://:geheim@s1:26379", /needs the master's name/],
  ["redis+sentinel://:geheim@s1/main/0/x", /needs the master's name/],
  ["redis+cluster://:geheim@n1:7001/1", /no databases to choose from/],
  ["redis://:gehei%m@n1", /password is not percent-encoded/],
];

describe("a Redis URL", () => {
  it.each(GOOD)("%s is read", (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  it.each(BAD)("%s is refused with a reason, the accepted forms and no password", (url, reason) => {
    const parse = () => parseRedisUrl(url);
    expect(parse).toThrow(Misuse);
    expect(parse).toThrow(reason);
    expect(parse).toThrow(/redis\+cluster:\/\/.*host:port/);
    expect(parse).not.toThrow(/gehei/);
  });

  it("is described without its login", () => {
    expect(describeAddress(parseRedisUrl("redis://u:geheim@cache"))).toBe("Redis at cache:6379");
    expect(describeAddress(parseRedisUrl("redis+cluster://:geheim@n1:1,[::1]:2"))).toBe("Redis cluster n1:1,[::1]:2");
  });
});
