// Numbers and times as people read them. Minus signs are minus signs, and what is unset is a dash.

export const NONE = "–";

const MINUS = "\u2212";
const ABBREVIATIONS = new Set(["ETF", "ADR", "USA", "IBM", "AMD", "AIG", "ING"]);
const grouped = new Map();

/** Returns *value* with *digits* decimals and thousands apart. */
export function fixed(value, digits = 2) {
  const number = toNumber(value);
  if (number === null) return NONE;
  if (!grouped.has(digits)) {
    const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    grouped.set(digits, new Intl.NumberFormat("en-US", fraction));
  }
  return minus(grouped.get(digits).format(number));
}

/** Returns *value* with its sign, plus too. */
export function signed(value, digits = 2) {
  const text = fixed(value, digits);
  if (text === NONE || !/[1-9]/.test(text)) return text.replace(MINUS, "");
  return text.startsWith(MINUS) ? text : `+${text}`;
}

/** Returns a size or volume short: 1.2 M, 340 k, 95. */
export function short(value) {
  const number = toNumber(value);
  if (number === null || number < 0) return NONE;
  for (const [unit, letter] of [
    [1e9, "B"],
    [1e6, "M"],
    [1e4, "k"],
  ]) {
    if (number >= unit) {
      const scaled = number / (letter === "k" ? 1e3 : unit);
      return `${scaled >= 100 ? scaled.toFixed(0) : scaled.toFixed(1)}${letter}`;
    }
  }
  return fixed(number, Number.isInteger(number) ? 0 : 2);
}

/** Returns the quantity of an order or position: as many decimals as it has. */
export function quantity(value) {
  const number = toNumber(value);
  if (number === null) return NONE;
  return minus(number.toLocaleString("en-US", { maximumFractionDigits: 8 }));
}

/** Returns the decimals that a contract with this smallest step is quoted in. */
export function decimalsOf(minTick) {
  if (!(minTick > 0)) return 2;
  for (let digits = 0; digits < 8; digits++) {
    if (Math.abs(minTick * 10 ** digits - Math.round(minTick * 10 ** digits)) < 1e-6) return Math.max(2, digits);
  }
  return 8;
}

/** Returns a name that IB shouts in a quieter voice; what is short or has no vowel is an abbreviation. */
export function titled(name) {
  if (name !== name.toUpperCase()) return name;
  const quiet = (word) =>
    word.length < 3 || !/[AEIOUY]/.test(word) || ABBREVIATIONS.has(word) ? word : word[0] + word.slice(1).toLowerCase();
  return name.replace(/[A-Z]+/g, quiet);
}

/** Returns how long ago an instant was: "14 s", "3 min". */
export function age(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** Returns the number that a Float, or a Decimal written as a string, is; null for none. */
export function toNumber(value) {
  if (value === null || value === undefined || value === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

function minus(text) {
  return text.replace("-", MINUS);
}
