// Keeps the page live. Everything is there without it: it only fetches the same page again when the controller says that something
// has changed, or when the filter does, and takes over what is different. What has the focus, what is open and where the page is
// scrolled to stay. No text ever becomes markup here but a whole page of this server's, in a document that runs nothing.
"use strict";
(() => {
  const live = document.getElementById("live");
  const build = document.documentElement.dataset.build;
  const trusted = window.trustedTypes
    ? window.trustedTypes.createPolicy("credproxy", { createHTML: (page) => page })
    : { createHTML: (page) => page };

  function say(words, lost) {
    if (live.textContent !== words) live.textContent = words;
    live.classList.toggle("lost", lost);
    live.hidden = false;
  }

  // ---- what is different

  // merge makes one element like another, and keeps what need not change.
  function merge(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
      old.replaceWith(document.importNode(fresh, true));
      return;
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    mergeChildren(old, fresh);
  }

  // mergeChildren knows those that have an id wherever they were; the others are taken in order.
  function mergeChildren(old, fresh) {
    if (old.matches("tbody, ul, ol")) [old, fresh].forEach(withoutBlanks);
    const known = new Map();
    for (const child of old.children) if (child.id) known.set(child.id, child);
    let at = old.firstChild;
    for (const want of [...fresh.childNodes]) {
      const have = want.id ? known.get(want.id) : at && !at.id && at.nodeName === want.nodeName ? at : null;
      if (!have) {
        old.insertBefore(document.importNode(want, true), at);
        continue;
      }
      if (at && at !== have && at.nextSibling === have) { // only the one before it has gone elsewhere
        const gone = at;
        at = have;
        old.append(gone);
      }
      if (have === at) at = at.nextSibling;
      else old.insertBefore(have, at);
      merge(have, want);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  // withoutBlanks takes out what is between the items of a list: otherwise no item would be next to another.
  function withoutBlanks(list) {
    for (const child of [...list.childNodes]) if (child.nodeType === Node.TEXT_NODE && !child.data.trim()) child.remove();
  }

  // show takes over a page. What had the focus has it again, if it is still there.
  function show(page) {
    const focused = document.activeElement;
    const id = focused && focused.closest("[id]") && focused.closest("[id]").id;
    for (const what of ["main", "footer", "header nav"]) merge(document.querySelector(what), page.querySelector(what));
    merge(document.getElementById("icon"), page.getElementById("icon"));
    if (document.title !== page.title) document.title = page.title;
    if (!focused || focused === document.body || focused === document.activeElement) return;
    const again = focused.isConnected ? focused : document.getElementById(id || "main");
    (again && again.matches("a, input, select, button, main") ? again : again?.querySelector("a") || document.getElementById("main")).focus({ preventScroll: true });
  }

  // ---- fetching

  let busy = false;
  let again = false;
  let back = false;
  async function refresh() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    again = false;
    const began = performance.now();
    const url = location.href;
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" }, cache: "no-store" });
      const text = await answer.text();
      if (!(answer.headers.get("Content-Type") || "").startsWith("text/html")) throw new Error("no page");
      const page = new DOMParser().parseFromString(trusted.createHTML(text), "text/html");
      if (page.documentElement.dataset.build !== build) {
        location.reload(); // the controller is another release now
        return;
      }
      if (url === location.href) {
        show(page);
        if (back) document.getElementById("filter")?.reset(); // to what the address asks for
        back = false;
      }
      else again = true; // the filter has changed meanwhile
    } catch {
      lost();
    }
    // However long a page takes, it is fetched for a part of the time only.
    setTimeout(() => {
      busy = false;
      if (again) refresh();
    }, Math.min(3000, 2 * (performance.now() - began)));
  }

  // ---- what the controller tells

  let source = null;
  let timer = 0;
  function lost() { say("Not live: no connection. It is tried again.", true); }
  function connect() {
    if (source || document.hidden) return;
    source = new EventSource("/changes?since=" + document.documentElement.dataset.rings);
    source.addEventListener("open", () => say("Live", false));
    source.addEventListener("changed", refresh);
    source.addEventListener("error", () => {
      lost();
      if (source && source.readyState === EventSource.CLOSED) { // it was refused: then by looking from time to time
        leave();
        timer = setTimeout(() => { refresh(); connect(); }, 15000);
      }
    });
  }
  function leave() {
    if (source) source.close();
    source = null;
    clearTimeout(timer);
  }
  // A page that nobody sees costs nothing: a browser has few connections for one server.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) leave();
    else { refresh(); connect(); }
  });
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", (event) => { if (event.persisted) { refresh(); connect(); } });
  connect();

  // ---- the filter

  // addressed is the address that the form asks for.
  function addressed(form) {
    const values = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) values.append(name, value);
    const query = values.toString();
    return form.getAttribute("action") + (query ? "?" + query : "");
  }
  function go(form, replace) {
    const url = addressed(form);
    if (url === location.pathname + location.search) return;
    history[replace ? "replaceState" : "pushState"](null, "", url);
    refresh();
  }
  let typed = 0;
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form || form.id !== "filter" || event.target.matches("select, [type=checkbox]")) return;
    clearTimeout(typed);
    typed = setTimeout(() => go(form, true), 200);
  });
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && form.id === "filter" && event.target.matches("select, [type=checkbox]")) go(form, false);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "filter") return;
    event.preventDefault();
    clearTimeout(typed);
    go(event.target, false);
  });
  window.addEventListener("popstate", () => {
    back = true;
    refresh();
  });
})();
