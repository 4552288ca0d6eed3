// What is kept in this browser until the server has it is sealed (AES-GCM) with a key that only a signed-in session of its writer
// is given: it lies in memory alone, so that after signing out nobody reads what stays on the disk, and nothing typed is lost.
// Imports nothing.

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

function textOf(buffer) {
  let text = "";
  for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
  return btoa(text);
}

/** The seal of a writer's key (base64, 32 bytes). Null without a key, and where the browser gives pages no cryptography: over HTTP
 *  on another machine than this. */
export async function sealOf(key, subtle = globalThis.crypto?.subtle) {
  if (!key || !subtle) return null;
  return new Seal(await subtle.importKey("raw", bytesOf(key), "AES-GCM", false, ["encrypt", "decrypt"]), subtle);
}

class Seal {
  constructor(key, subtle) {
    Object.assign(this, { key, subtle });
  }

  #way = (iv, name) => ({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) });

  /** {iv, data}, both base64, of what JSON can say; `name`: under which it is kept, so that nothing is read in another's place. */
  async shut(name, value) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const data = await this.subtle.encrypt(this.#way(iv, name), this.key, new TextEncoder().encode(JSON.stringify(value)));
    return { iv: textOf(iv), data: textOf(data) };
  }

  /** What was shut; null for what another key shut. */
  async open(name, sealed) {
    try {
      const data = await this.subtle.decrypt(this.#way(bytesOf(sealed.iv), name), this.key, bytesOf(sealed.data));
      return JSON.parse(new TextDecoder().decode(data));
    } catch {
      return null;
    }
  }
}
