// Makes elements. Everything is text or a node, never markup, so nothing that TWS sends can become part of the page.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element: h("td", { class: "num", onclick: f }, "text", node, [more]). */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Makes an SVG element in the same way. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets the text of an element, and touches the page only when it changes. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Calls *work* at most once a frame, however often the result is called: ticks come faster than screens draw. */
export function oncePerFrame(work) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      work();
    });
  };
}
