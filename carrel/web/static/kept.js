// What this browser keeps for our pages. Where it keeps nothing, as people may have it, that lasts until the page is left.

const here = new Map();

export function read(storage, key, otherwise) {
  try {
    return JSON.parse(window[storage].getItem(key)) ?? otherwise;
  } catch {
    return here.get(key) ?? otherwise;
  }
}

// null takes it away.
export function write(storage, key, value) {
  here.set(key, value);
  try {
    if (value === null) window[storage].removeItem(key);
    else window[storage].setItem(key, JSON.stringify(value));
  } catch {}
}
