// The page: the door, the two views, and the state of the connection in the bar.

import { openBoard } from "./board.js";
import { startClock } from "./clock.js";
import { openConsole } from "./console.js";
import { say } from "./dom.js";
import { askForToken } from "./door.js";
import { Service } from "./service.js";
import { openTabs } from "./tabs.js";
import { forgetToken, keepToken, knownToken } from "./token.js";

const part = (id) => document.getElementById(id);

async function start(complaint = "") {
  let token = knownToken();
  if (!token) {
    token = await askForToken(part("door"), complaint);
    keepToken(token);
  }
  const service = new Service(token);
  const { socket } = service;
  const closing = [openBoard(part("board"), service), openConsole(part("console"), service, warn), startClock(part("clock"), service)];
  const leave = (why) => {
    closing.forEach((close) => close());
    service.close();
    forgetToken();
    part("bar").hidden = true;
    part("trading").hidden = true;
    openTabs.hide();
    start(why);
  };
  socket.addEventListener("state", () => {
    if (socket.state === "refused") leave("The service does not know this token any more.");
  });
  closing.push(followLink(service), comeBack(socket));
  part("leave").onclick = () => leave("");
  part("bar").hidden = false;
  openTabs.show();
  socket.open();
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
  const show = () => {
    const away = socket.live && !service.live;
    link.dataset.state = away ? "away" : socket.state;
    link.title = service.trouble;
    const seconds = Math.max(1, Math.ceil((socket.retryAt - Date.now()) / 1000));
    const words = { open: "Live", connecting: "Connecting", waiting: `Offline, again in ${seconds} s`, closed: "" };
    say(link, away ? "TWS has lost IB" : (words[socket.state] ?? ""));
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

start();
