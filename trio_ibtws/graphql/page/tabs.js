// The two views. The fragment of the address remembers which one is open.

const NAMES = ["board", "console"];
const tab = (name) => document.getElementById(`tab-${name}`);

function choose(name) {
  for (const other of NAMES) {
    const chosen = other === name;
    tab(other).setAttribute("aria-selected", chosen);
    tab(other).tabIndex = chosen ? 0 : -1;
    document.getElementById(other).hidden = !chosen;
  }
}

const current = () => NAMES.find((name) => location.hash === `#${name}`) ?? NAMES[0];

function walk(event) {
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!move) return;
  const next = NAMES[(NAMES.indexOf(current()) + move + NAMES.length) % NAMES.length];
  location.hash = next;
  tab(next).focus();
}

for (const name of NAMES) {
  tab(name).addEventListener("click", () => (location.hash = name));
  tab(name).addEventListener("keydown", walk);
}

export const openTabs = {
  show() {
    window.onhashchange = () => choose(current());
    choose(current());
  },
  hide() {
    window.onhashchange = null;
    for (const name of NAMES) document.getElementById(name).hidden = true;
  },
};
