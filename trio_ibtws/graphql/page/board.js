// The live board: the account, the watch-list, the chart, positions and orders.

import { Account } from "./account.js";
import { ChartPanel } from "./chartpanel.js";
import { Orders } from "./orders.js";
import { Positions } from "./positions.js";
import { Watchlist } from "./watchlist.js";

/** Builds the board in *place*; returns a function that ends it. `service` is a Service. */
export function openBoard(place, service) {
  const account = new Account(service);
  const watch = new Watchlist(service);
  const chart = new ChartPanel(service);
  const parts = [account, watch, chart, new Positions(service, (contract) => watch.add(contract)), new Orders(service)];
  place.replaceChildren(...parts.map((part) => part.element));
  watch.addEventListener("select", () => chart.show(watch.selected));
  if (watch.selected) chart.show(watch.selected);

  const age = () => parts.forEach((part) => part.age());
  const timer = setInterval(age, 1000);
  service.addEventListener("state", age);
  return () => {
    clearInterval(timer);
    service.removeEventListener("state", age);
    parts.forEach((part) => part.stop());
    place.replaceChildren();
  };
}
