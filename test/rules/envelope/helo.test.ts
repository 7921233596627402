import { helo } from "../../../src/rules/envelope/helo.ts";
import { HOSTNAME } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const forged = "helo: reject helo-forged";
const shape = "helo: reject helo-shape";
const noName = "helo: note HELO is no full domain name";
const other = "helo: note HELO is the literal of another address";

testRule(helo, {
  letsThrough: [
    ["a host's full name", { helo: "mx.sender.example" }],
    ["a name with an underscore, as real hosts have", { helo: "win_2019.sender.example" }],
    ["an A-label", { helo: "xn--fsqu00a.example" }],
    ["the literal of its own IPv4 address", { ip: "203.0.113.9", helo: "[203.0.113.9]" }],
    ["the literal of its own IPv6 address, written long", { ip: "2001:db8::9", helo: "[IPv6:2001:0db8:0:0::9]" }],
    ["a client under our name", { client: {}, helo: HOSTNAME }],
    ["a host of relayNetworks under a word", { relayNetwork: true, helo: "printer" }],
    ["this machine with its own literal", { ip: "127.0.0.1", serverIp: "127.0.0.1", helo: "[127.0.0.1]" }],
  ],
  catches: [
    ["our name", { helo: HOSTNAME }, forged],
    ["our name in capitals", { helo: HOSTNAME.toUpperCase() }, forged],
    ["a local domain", { helo: "example.com" }, forged],
    ["a host in a listed subdomain", { helo: "pc.branch.example.com" }, forged],
    ["our IDN", { helo: "例子.测试" }, forged],
    ["our name in full-width letters", { helo: "ｒｅｌａｙ.example.net" }, forged],
    ["our address as a literal", { serverIp: "192.0.2.25", helo: "[192.0.2.25]" }, forged],
    ["our IPv6 address as a literal", { serverIp: "2001:db8::25", helo: "[IPv6:2001:db8:0::25]" }, forged],
    ["a word", { helo: "localhost" }, noName],
    ["a bare address", { helo: "203.0.113.9" }, noName],
    ["the literal of another", { helo: "[198.51.100.1]" }, other],
    ["no name at all", { helo: "hello, world" }, shape],
    ["an at sign", { helo: "bob@sender.example" }, shape],
    ["our name with the root's dot", { helo: `${HOSTNAME}.` }, shape],
    ["an IPv6 address without its tag", { helo: "[2001:db8::9]" }, shape],
    ["no brackets closed", { helo: "[203.0.113.9" }, shape],
    ["a literal of no address", { helo: "[300.0.113.9]" }, shape],
    ["an empty label", { helo: "mx..sender.example" }, shape],
  ],
});
