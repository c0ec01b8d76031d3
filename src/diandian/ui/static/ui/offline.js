// Without network: answers stay on this phone until one press sends them, and nothing is ordered.
// Pages work without this; with it, a small worker keeps the questions for when the network is gone.
"use strict";

(() => {
  const root = document.documentElement;
  const note = document.getElementById("offline");
  const answers = document.getElementById("answers");
  const payment = document.getElementById("pay");
  const scene = /^(\/s\/[-\w]+)(\/go)?$/.exec(location.pathname);
  const KEPT_MS = 30 * 24 * 3600000;

  function say(words) {
    if (!note) return;
    note.hidden = !words;
    note.querySelectorAll("[data-say]").forEach((each) => {
      each.hidden = !each.dataset.say.split(" ").includes(words);
    });
  }

  function sayAloud(words) {
    say(words);
    note.scrollIntoView({ block: "center" });
    note.focus();
  }

  // A page that the worker kept has no network either, whatever the phone believes.
  const isOffline = () => !navigator.onLine || root.hasAttribute("data-offline");

  function keepAnswers(form) {
    const place = `diandian.answers ${form.getAttribute("action")}`;
    let sending = false;

    function read() {
      try {
        const kept = JSON.parse(localStorage.getItem(place));
        if (kept && Date.now() - kept.at < KEPT_MS) return kept.answers;
        localStorage.removeItem(place);
      } catch (error) {
        // Storage is closed here, or holds what is not ours: there are no answers.
      }
      return null;
    }

    function write() {
      const given = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
      try {
        localStorage.setItem(place, JSON.stringify({ at: Date.now(), answers: given }));
      } catch (error) {
        // Then they stay on the page as long as it is open.
      }
    }

    function forget() {
      try {
        localStorage.removeItem(place);
      } catch (error) {
        // Nothing was kept.
      }
    }

    function fill(given) {
      const has = (name, value) => given.some((each) => each[0] === name && each[1] === value);
      for (const field of form.elements) {
        if (!field.name || field.type === "hidden") continue;
        const own = given.find((each) => each[0] === field.name);
        if (field.type === "radio" || field.type === "checkbox") {
          field.checked = has(field.name, field.value);
        } else if (own) {
          field.value = own[1];
        }
      }
    }

    function failed() {
      sending = false;
      write();
      sayAloud("offline");
    }

    // The answer to answers that were understood leads to the result; any other is shown as it is.
    function sent(answer) {
      if (answer.ok && answer.redirected) {
        forget();
        location.assign(answer.url);
        return;
      }
      if (answer.status === 422) forget();
      form.submit();
    }

    function send() {
      sending = true;
      const body = new URLSearchParams(new FormData(form));
      fetch(form.action, { method: "POST", body }).then(sent, failed);
    }

    const mark = new URLSearchParams(location.search).get("c");
    if (root.hasAttribute("data-offline") && mark && !form.elements.c) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: "c", value: mark });
      form.append(field);
    }
    const changing = new URLSearchParams(location.search).has("from");
    const kept = changing || document.getElementById("errors") ? null : read();
    if (kept) fill(kept);
    if (isOffline()) say("offline");
    else if (kept) say("back");

    form.addEventListener("change", () => isOffline() && write());
    form.addEventListener("submit", (event) => {
      // A second press while the first is on its way: what was kept may be forgotten by now.
      if (sending) event.preventDefault();
      if (sending || (!isOffline() && !read())) return;
      event.preventDefault();
      write();
      if (navigator.onLine) send();
      else sayAloud("offline");
    });
    note.querySelector("button").addEventListener("click", () => {
      forget();
      form.reset();
      say(isOffline() ? "offline" : "");
    });
    // Back from the result by the browser's own button, the page goes on where it was.
    addEventListener("pageshow", () => {
      sending = false;
    });
    addEventListener("offline", () => say("offline"));
    addEventListener("online", () => {
      root.removeAttribute("data-offline");
      say(read() ? "back" : "");
    });
  }

  function closePayment(form) {
    form.addEventListener("submit", (event) => {
      if (navigator.onLine) return;
      event.preventDefault();
      sayAloud("offline");
    });
    addEventListener("online", () => say(""));
  }

  if (answers && note) keepAnswers(answers);
  if (payment && note) closePayment(payment);
  if (!scene || !("serviceWorker" in navigator)) return;
  // After everything that is needed now.
  addEventListener("load", () => {
    const tell = { scene: scene[1], lang: root.lang };
    navigator.serviceWorker
      .register("/s/worker.js", { updateViaCache: "none" })
      .then(() => navigator.serviceWorker.ready)
      .then((ready) => ready.active.postMessage(tell))
      .catch(() => null);
  });
})();
