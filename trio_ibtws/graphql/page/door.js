// Asks for the token.

import { h, say } from "./dom.js";
import { describe, post, Unauthorized } from "./http.js";

/** Shows the form in *place*; resolves with a token that the service knows. */
export function askForToken(place, complaint = "") {
  return new Promise((resolve) => {
    const word = h("p", { class: "door-word", role: "alert" }, complaint);
    const input = h("input", {
      id: "token",
      type: "password",
      autocomplete: "current-password",
      spellcheck: "false",
      required: true,
      "aria-describedby": "token-help",
    });
    const button = h("button", { class: "primary" }, "Open");
    const help = "It is printed where trio-ibtws serve was started. It stays in this browser tab.";
    const form = h(
      "form",
      { class: "door" },
      h("img", { src: "page/icon.svg", alt: "", width: 44, height: 44 }),
      h("h1", {}, "trio_ibtws"),
      h("label", { for: "token" }, "Access token"),
      h("div", { class: "door-line" }, input, button),
      word,
      h("p", { id: "token-help", class: "door-help" }, help),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      const { wrong } = await tryToken(input.value.trim());
      button.disabled = false;
      if (wrong) return (say(word, wrong), input.select());
      place.replaceChildren();
      resolve(input.value.trim());
    });
    place.replaceChildren(form);
    input.focus();
  });
}

/** Tries a token: `refused` if the service does not know it, `wrong` if it is not known to be right. */
export async function tryToken(token) {
  try {
    const { data, errors } = await post(token, { query: "{ __typename }" });
    return { refused: false, wrong: data ? "" : errors.map(describe).join(" ") };
  } catch (error) {
    return { refused: error instanceof Unauthorized, wrong: error.message };
  }
}
