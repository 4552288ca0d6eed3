// An OpenID provider of others (npm's oidc-provider) whose people and faults the tests choose: POST /control with JSON.
// Started as: node openid_provider.mjs FOLDER-OF-PACKAGES PORT REDIRECT-URI

import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, port, redirect] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const load = async (name) => import(pathToFileURL(require.resolve(name)));
const { Provider } = await load("oidc-provider");
const { SignJWT, decodeJwt, importJWK } = await load("jose");

const key = () => ({ ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: "RS256" });
const [own, foreign] = [key(), key()];
const issuer = `http://127.0.0.1:${port}`;
let people = {};
let fault = {};
const asked = [];

const provider = new Provider(issuer, {
  clients: [{ client_id: "farview", client_secret: "a secret of the test", redirect_uris: [redirect], token_endpoint_auth_method: "client_secret_post",
    backchannel_logout_uri: redirect.replace("/back/", "/logout/"), backchannel_logout_session_required: true }],
  features: { backchannelLogout: { enabled: true } },
  // Its guard against addresses within a network would keep it from telling us on loopback that a session ended.
  fetch: (url, { dispatcher, ...options }) => (fault.unheard ? Promise.reject(new Error("cut off")) : globalThis.fetch(url, options)),
  jwks: { keys: [own] },
  cookies: { keys: ["for the test"] },
  claims: { openid: ["sub"], profile: ["preferred_username", "given_name", "family_name"], email: ["email", "email_verified"], groups: ["groups"] },
  findAccount: (ctx, sub) => (people[sub] ? { accountId: sub, claims: () => ({ sub, ...people[sub] }) } : undefined),
  pkce: { required: () => true },
});

provider.use(async (ctx, next) => {
  if (ctx.path === "/auth") asked.push(Object.fromEntries(new URL(ctx.href).searchParams));
  await next();
  if (ctx.path === "/.well-known/openid-configuration") ctx.body = { ...ctx.body, ...fault.discovery };
  if (ctx.path === "/me" && fault.userinfo) ctx.body = { ...ctx.body, ...fault.userinfo };
  if (ctx.path === "/token" && ctx.body?.id_token && (fault.token || fault.signed)) {
    const said = { ...decodeJwt(ctx.body.id_token), ...fault.token };
    const signing = new SignJWT(said).setProtectedHeader({ alg: "RS256", kid: "one" });
    ctx.body.id_token = await signing.sign(await importJWK(fault.signed === "by another" ? foreign : own, "RS256"));
  }
});

provider.on("backchannel.error", (ctx, problem) => console.error("not told of the end of a session:", problem.message, problem.cause));

const serve = provider.callback();
createServer((request, response) => {
  if (request.url !== "/control") return serve(request, response);
  let text = "";
  request.on("data", (part) => (text += part));
  return request.on("end", () => {
    const told = JSON.parse(text || "{}");
    if (told.people) people = told.people;
    if (told.fault) fault = told.fault;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ asked }));
  });
}).listen(Number(port), "127.0.0.1");
