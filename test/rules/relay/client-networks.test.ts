import { clientNetworks } from "../../../src/rules/relay/client-networks.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const networks = ["198.51.100.0/24", "2001:db8:5::/48"];
const caught = "mail: reject client-network";

testRule(clientNetworks, {
  letsThrough: [
    ["a stranger: not its business", { ip: "203.0.113.9" }],
    ["a client known by its network, without a login", { client: { networks }, ip: "198.51.100.4" }],
    ["a login from the registered network", { client: { networks }, login: "shop", ip: "198.51.100.4" }],
    ["a login from the registered IPv6 network", { client: { networks }, login: "shop", ip: "2001:db8:5::9" }],
    [
      "the registered IPv4 network, mapped into IPv6",
      { client: { networks }, login: "shop", ip: "::ffff:198.51.100.4" },
    ],
    ["a client that travels: no network is registered", { client: { networks: [] }, login: "shop", ip: "203.0.113.9" }],
    ["one single address", { client: { networks: ["203.0.113.9"] }, login: "shop", ip: "203.0.113.9" }],
  ],
  catches: [
    ["a login from elsewhere", { client: { networks }, login: "shop", ip: "203.0.113.9" }, caught],
    ["a login from the next network", { client: { networks }, login: "shop", ip: "198.51.101.1" }, caught],
    ["a login from elsewhere over IPv6", { client: { networks }, login: "shop", ip: "2001:db8:6::1" }, caught],
    ["a bounce from elsewhere", { client: { networks }, login: "shop", ip: "203.0.113.9", from: "" }, caught],
    [
      "a host of relayNetworks with a login of elsewhere",
      { client: { networks }, login: "shop", relayNetwork: true },
      caught,
    ],
  ],
});
