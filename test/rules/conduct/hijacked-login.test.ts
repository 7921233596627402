import { hijackedLogin } from "../../../src/rules/conduct/hijacked-login.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const alarm = { why: "networks", facts: { client: "shop", networks: 11, regions: 4 } } as const;

testRule(hijackedLogin, {
  letsThrough: [
    ["a stranger", { conduct: { alarm } }],
    ["a client that is known by its network", { client: {}, conduct: { alarm } }],
    ["a login like every day", { client: {}, login: "shop" }],
  ],
  catches: [["a login from many networks", { client: {}, login: "shop", conduct: { alarm } }, "mail: hold login-held"]],
});
