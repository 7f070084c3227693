// The time at TWS in the bar: asked once a minute, and counted on in between.

import { say } from "./dom.js";
import { ask } from "./http.js";
import { TIME } from "./operations.js";

const EVERY = 60_000;

/** Shows it in *place*; returns a function that ends that. */
export function startClock(place, { token, socket }) {
  let ahead = null;
  const look = async () => {
    try {
      const { reqCurrentTime: seconds } = await ask(token, TIME);
      ahead = Number(seconds) * 1000 - Date.now();
    } catch {
      ahead = null; // no time is better than a wrong one; the link says what is wrong
    }
    show();
  };
  const show = () => {
    const known = ahead !== null && socket.live;
    say(place, known ? `${new Date(Date.now() + ahead).toISOString().slice(0, 19).replace("T", "  ")} UTC` : "");
  };
  const asking = setInterval(look, EVERY);
  const counting = setInterval(show, 1000);
  const opened = () => (socket.live ? look() : show());
  socket.addEventListener("state", opened);
  return () => {
    clearInterval(asking);
    clearInterval(counting);
    socket.removeEventListener("state", opened);
    say(place, "");
  };
}
