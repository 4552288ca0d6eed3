// Passkeys (WebAuthn level 3): forms that make one or use one. Words stand hidden in the page. Imports nothing.

/** Bytes of base64url text and back, as WebAuthn's JSON writes them. */
function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const read = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

const CEREMONIES = {
  make: (asked) =>
    navigator.credentials.create({
      publicKey: {
        ...asked,
        challenge: bytes(asked.challenge),
        user: { ...asked.user, id: bytes(asked.user.id) },
        excludeCredentials: read(asked.excludeCredentials),
      },
    }),
  use: (asked) =>
    navigator.credentials.get({
      publicKey: { ...asked, challenge: bytes(asked.challenge), allowCredentials: read(asked.allowCredentials) },
    }),
};

const FIELDS = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

/** The answer as JSON. */
function written(credential) {
  const response = {};
  for (const name of FIELDS) if (credential.response[name]) response[name] = text(credential.response[name]);
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

/** Why no passkey can be used on this page; "" when one can. */
function obstacle(relyingParty) {
  const here = location.hostname;
  const named = here === relyingParty || here.endsWith(`.${relyingParty}`);
  if (!window.isSecureContext || !named) return "insecure";
  return window.PublicKeyCredential ? "" : "unsupported";
}

function say(form, what) {
  for (const words of form.querySelectorAll("[data-when]")) words.hidden = words.dataset.when !== what;
}

async function options(form) {
  const kept = document.getElementById("passkey-options");
  if (kept) return Object.values(JSON.parse(kept.textContent))[0].publicKey;
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new TypeError("no challenge");
  return (await answer.json()).request_options.publicKey;
}

const TROUBLES = { InvalidStateError: "known", TypeError: "offline" };

async function go(form) {
  const button = form.querySelector("[type=submit]");
  say(form, "");
  button.disabled = true;
  try {
    const credential = await CEREMONIES[form.dataset.passkey](await options(form));
    form.elements.credential.value = written(credential);
    form.submit();
  } catch (problem) {
    say(form, TROUBLES[problem.name] ?? "refused");
    button.disabled = false;
    button.focus();
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const why = obstacle(form.dataset.relyingParty);
  if (why) {
    say(form, why);
    form.querySelector("[type=submit]").disabled = true;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(form);
  });
}
