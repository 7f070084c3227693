// The page: the door, the two views, and the state of the connection in the bar.

import { openBoard } from "./board.js";
import { startClock } from "./clock.js";
import { openConsole } from "./console.js";
import { say } from "./dom.js";
import { askForToken, tryToken } from "./door.js";
import { refusals } from "./http.js";
import { Service } from "./service.js";
import { openTabs } from "./tabs.js";
import { forgetToken, keepToken, knownToken } from "./token.js";

const STATES = { open: "Live", connecting: "Connecting", waiting: "Offline" };

const part = (id) => document.getElementById(id);

async function start(complaint = "") {
  const token = await findToken(complaint);
  const service = new Service(token);
  const { socket } = service;
  const closing = [
    openBoard(part("board"), service),
    openConsole(part("console"), service, warn),
    startClock(part("clock"), service),
  ];
  let left = false;
  const leave = (why) => {
    if (left) return;
    left = true;
    closing.forEach((close) => close());
    service.close();
    forgetToken();
    part("bar").hidden = true;
    part("trading").hidden = true;
    openTabs.hide();
    start(why);
  };
  const refused = () => leave("The service does not know this token any more.");
  refusals.addEventListener("refused", refused);
  closing.push(() => refusals.removeEventListener("refused", refused));
  socket.addEventListener("state", () => socket.state === "refused" && refused());
  closing.push(followLink(service), comeBack(socket));
  part("leave").onclick = () => leave("");
  part("bar").hidden = false;
  openTabs.show();
  socket.open();
}

/** Returns the token of this tab if the service does not refuse it, or asks for one. */
async function findToken(complaint) {
  const known = knownToken();
  const { refused, wrong } = known ? await tryToken(known) : {};
  if (known && !refused) return known; // a service that is away is waited for
  forgetToken();
  const token = await askForToken(part("door"), wrong || complaint);
  keepToken(token);
  return token;
}

/** Says in the bar that orders can be placed: in the editor, never by a click on the board. */
function warn(schema) {
  const mutations = schema.roots.find(({ kind }) => kind === "mutation")?.type.fields ?? [];
  part("trading").hidden = !mutations.some(({ name }) => name === "placeOrder");
}

/** Says in the bar whether what is shown is live. */
function followLink(service) {
  const { socket } = service;
  const link = part("link");
  const [state, countdown] = link.children;
  const show = () => {
    const away = socket.live && !service.live;
    link.dataset.state = away ? "away" : socket.state;
    link.title = service.trouble;
    say(state, away ? "TWS has lost IB" : (STATES[socket.state] ?? ""));
    const seconds = Math.max(1, Math.ceil((socket.retryAt - Date.now()) / 1000));
    say(countdown, socket.state === "waiting" ? `, again in ${seconds} s` : "");
  };
  show();
  service.addEventListener("state", show);
  const timer = setInterval(show, 1000);
  return () => {
    clearInterval(timer);
    service.removeEventListener("state", show);
  };
}

/** Does not wait for the next attempt when the network or the reader is back. */
function comeBack(socket) {
  const now = () => document.hidden || socket.open();
  window.addEventListener("online", now);
  document.addEventListener("visibilitychange", now);
  return () => {
    window.removeEventListener("online", now);
    document.removeEventListener("visibilitychange", now);
  };
}

// The link with a token that `serve` prints may be opened in a tab that has the page already.
window.addEventListener("hashchange", () => {
  if (!location.hash.startsWith("#token=")) return;
  knownToken();
  location.reload();
});

start();
