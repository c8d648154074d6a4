"use strict";
// Navigation, forms and keys. The server makes every page whole; this exchanges the part below #desk, so that a key is
// answered without a reload, and sends forms by fetch, because a plain form would not say where it comes from.
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const say = (text) => { $("#said").textContent = text; };
  let busy = null, ahead = null, listing = null, listed = null, asked = null, later = 0;
  const FRESH = 60000;  // milliseconds for which a page that was asked for ahead may be shown

  const show = async (answer, push, wanted = () => true) => {
    const text = await answer.text();
    if (!wanted()) return;  // something else was asked for while this arrived
    const type = answer.headers.get("content-type") || "";
    if (!type.startsWith("text/html")) { say(text); alert(text); return; }
    const page = new DOMParser().parseFromString(text, "text/html");
    const queue = $("aside") ? $("aside").scrollTop : 0, quoted = $("#records");
    document.title = page.title;
    document.body.className = page.body.className;
    $("#desk").replaceWith(document.adoptNode($("#desk", page)));
    if (push && answer.ok) history.pushState(null, "", new URL(answer.url).search || "/");
    settle(queue);
    if ($("#records") && !quoted) $("#records").scrollIntoView();
  };

  const settle = (queue) => {
    const aside = $("aside");
    if (aside) {
      aside.scrollTop = queue;
      const here = $(".queue [aria-current]");
      if (here) here.scrollIntoView({block: "nearest"});
    }
    const desk = $("#desk"), first = $("[autofocus]", desk);
    if (desk.dataset.draft && $("#rule")) open($(`[data-rule="${CSS.escape(desk.dataset.draft)}"]`), true);
    else (first || $("#detail")).focus({preventScroll: true});
    const title = $("h1 .unseen") || $("h1"), place = $(".place"), done = new URLSearchParams(location.search).get("done");
    look();
    beside();
    if (title) say((done ? `Ruling ${done} recorded. ` : "") + title.textContent + (place ? `, ${place.textContent}` : ""));
  };

  // Ask for the pair, or finding, that comes next while this one is read; not where evidence would be read for it.
  const look = () => {
    const link = $("tr[aria-current]") ? $('[data-key="J"]') : $('[data-key="j"]');
    ahead = link && !$("#records") ? {address: link.href, at: Date.now(), answer: fetch(link.href).catch(() => null)} : null;
  };

  // What stands beside the pair outlives a page: it is asked for when it would say something else, and no key waits for it.
  const beside = () => {
    const place = $("#beside"), kind = document.documentElement.dataset.beside || "", desk = $("#desk").dataset;
    for (const one of document.querySelectorAll("button[data-beside]")) one.setAttribute("aria-pressed", String(one.dataset.beside === kind));
    if (!place) return;
    place.hidden = !kind;
    const wanted = [kind, desk.state, kind === "page" ? "" : desk.pair].join(" ");
    if (!kind || !desk.state || place.dataset.holds === wanted) return;
    if (asked) asked.abort();
    clearTimeout(later);
    place.setAttribute("aria-busy", "true");
    if (place.dataset.kind !== kind) place.replaceChildren(Object.assign(document.createElement("p"), {className: "note", textContent: "…"}));
    place.dataset.kind = kind;
    const mine = asked = new AbortController();
    later = setTimeout(async () => {
      try {
        const answer = await fetch(`/beside/${kind}?${new URLSearchParams({at: desk.pair || ""})}`, {signal: mine.signal});
        const made = new DOMParser().parseFromString(await answer.text(), "text/html");
        const main = $("main", made) || made.body;
        place.replaceChildren(...document.adoptNode(main).childNodes);
        if (answer.ok) place.dataset.holds = wanted;
      } catch (error) {
        if (error.name === "AbortError") return;
        place.textContent = "The desk does not answer: was the command ended?";
      }
      place.removeAttribute("aria-busy");
    }, 150);
  };

  const turn = (kind) => {
    const root = document.documentElement;
    if (root.dataset.beside === kind) delete root.dataset.beside; else root.dataset.beside = kind;
    $("#beside").dataset.holds = "";
    beside();
    say(root.dataset.beside ? "Shown beside the pair" : "Taken away");
  };

  const fetched = async (address, signal) => {
    const kept = ahead && ahead.address === address && Date.now() - ahead.at < FRESH ? await ahead.answer : null;
    ahead = null;
    return kept && kept.ok ? kept : fetch(address, {signal});
  };

  // The page asked for last is the one shown. `busy.done` ends when it stands.
  const go = (address, push = true) => {
    if (busy) busy.abort();
    const mine = busy = new AbortController();
    mine.done = (async () => {
      try { await show(await fetched(address, mine.signal), push, () => busy === mine); }
      catch (error) { if (error.name !== "AbortError") say("The desk does not answer: was the command ended?"); }
      finally { if (busy === mine) busy = null; }
    })();
  };

  const send = async (form) => {
    if (form.dataset.sent) return;
    form.dataset.sent = "1";
    if (busy) { busy.abort(); busy = null; }
    try {
      await listing;
      await show(await fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form))}), true);
    } catch { delete form.dataset.sent; say("The desk does not answer: was the command ended?"); }
  };

  // Only the answer for the extent chosen last is shown: what stands under a ruling is what the ruling is on.
  const list = async () => {
    if (listed) listed.abort();
    const mine = listed = new AbortController();
    const dialog = $("#rule"), place = $(".on", dialog), scope = $("[name=scope]:checked", dialog).value;
    place.textContent = "…";
    $("[data-of]", dialog).hidden = scope === "queue";  // a heading that names one pair would say less than is ruled on
    const query = new URLSearchParams($("[name=query]", dialog).value);
    query.set("scope", scope);
    query.set("finding", $("[name=finding]", dialog).value);
    let text = null;
    try {
      const answer = await fetch(`${place.dataset.list}?${query}`, {signal: mine.signal});
      if (answer.ok) text = await answer.text();
    } catch { text = null; }
    if (listed !== mine) return;
    if (text === null) { place.textContent = "The list cannot be shown."; return; }
    const made = new DOMParser().parseFromString(text, "text/html");
    place.replaceChildren(...document.adoptNode(made.body).childNodes);
  };

  const open = (button, draft = false) => {
    if (!button) return;
    const dialog = $("#rule"), reason = $("[name=reason]", dialog), day = $(".day", dialog), ask = $("[name=ask]", dialog);
    $("[data-heading]", dialog).textContent = button.dataset.title;
    $("[name=verdict]", dialog).value = button.dataset.rule;
    if (!draft) reason.value = button.dataset.reason;
    day.hidden = button.dataset.rule !== "ask";
    ask.required = !day.hidden;
    if (day.hidden) ask.value = "";
    else if (!ask.value) ask.value = new Date(Date.now() + 7 * 864e5).toISOString().slice(0, 10);
    dialog.showModal();
    reason.focus();
    reason.select();
    listing = list();
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (link && link.origin === location.origin && !link.hash && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      go(link.href);
      return;
    }
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.rule) open(button);
    else if (button.dataset.beside) turn(button.dataset.beside);
    else if (button.dataset.open) {
      const dialog = document.getElementById(button.dataset.open);
      dialog.showModal();
      const reason = $("textarea", dialog);
      if (reason) { reason.focus(); reason.select(); }
    } else if ("close" in button.dataset) button.closest("dialog").close();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if ("get" in form.dataset) {
      event.preventDefault();
      const given = [...new FormData(form)].filter(([, value]) => value);
      go("/?" + new URLSearchParams(given));
    } else if ("post" in form.dataset) {
      event.preventDefault();
      send(form);
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.name === "scope") listing = list();
    else if (event.target.matches(".filters select, .filters [type=date]")) event.target.form.requestSubmit();
  });

  const keyed = (name) => [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === name);

  // A key pressed while a page is on its way is meant for that page, never for the one that it replaces.
  const press = async (name) => {
    while (busy) await busy.done;
    const target = keyed(name);
    if (!target || $("dialog[open]")) return;
    if (target.matches("input")) { target.focus(); target.select(); } else target.click();
  };

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.key === "Enter" && at.matches("dialog textarea") && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      at.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (at.matches("input, textarea, select")) {
      if (event.key === "Escape") $("#detail").focus();
      return;
    }
    if (!keyed(event.key) && !(busy && event.key.trim().length === 1)) return;
    event.preventDefault();
    press(event.key);
  });

  addEventListener("popstate", () => go(location.href, false));
  settle(0);
})();
